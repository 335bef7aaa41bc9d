<?php

namespace Tests;

use App\Models\Server;
use App\Models\Setting;
use Paymenter\Extensions\Shared\Secrets;
use PHPUnit\Framework\TestCase;

class SecretsTest extends TestCase
{
    private const SCHEMA = [['name' => 'api_base'], ['name' => 'api_key', 'encrypted' => true], ['name' => 'x', 'encrypted' => false]];

    public function test_the_secret_is_encrypted_and_nothing_else(): void
    {
        $server = new Server(new Setting('api_base', 'http://host'), $key = new Setting('api_key', 'secret'), new Setting('x', 'y'));
        Secrets::encrypt($server, self::SCHEMA);
        $this->assertSame([true, 1], [$key->encrypted, $key->saved]);
        $this->assertStringNotContainsString('secret', $key->value);
        $this->assertSame([0, 0], [$server->rows[0]->saved, $server->rows[2]->saved]);
    }

    public function test_a_repeat_does_not_encrypt_it_twice(): void
    {
        $server = new Server($key = new Setting('api_key', 'secret'));
        Secrets::encrypt($server, self::SCHEMA);
        Secrets::encrypt($server, self::SCHEMA);
        $this->assertSame(1, $key->saved);
    }

    public function test_an_empty_secret_stays_empty(): void
    {
        $server = new Server($key = new Setting('api_key', null));
        Secrets::encrypt($server, self::SCHEMA);
        $this->assertSame([false, 0], [$key->encrypted, $key->saved]);
    }
}
