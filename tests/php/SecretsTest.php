<?php

namespace Tests;

use Paymenter\Extensions\Shared\Secrets;
use PHPUnit\Framework\TestCase;
use Tests\Support\Paymenter\Audit;
use Tests\Support\Paymenter\Database;
use Tests\Support\Paymenter\Row;
use Tests\Support\Paymenter\Setting;

/** With real tables, in which Paymenter's way of storing and recording settings is done over. */
class SecretsTest extends TestCase
{
    private const SCHEMA = [['name' => 'api_base'], ['name' => 'api_key', 'encrypted' => true], ['name' => 'x', 'encrypted' => false]];

    private const KEY = 'np_0123456789_the-secret-of-the-backend';

    private Row $server;

    protected function setUp(): void
    {
        Database::start();
        $this->server = Row::create(['name' => 'NodePoint']);
    }

    /** As Paymenter's page "New server" does it: in clear, whatever the schema says. */
    private function created(?string $key = self::KEY): void
    {
        foreach (['api_base' => 'http://host', 'api_key' => $key, 'x' => 'y'] as $name => $value) {
            $this->server->settings()->updateOrCreate(['key' => $name], ['value' => $value]);
        }
    }

    private function setting(string $key): Setting
    {
        return $this->server->settings()->where('key', $key)->first();
    }

    public function test_paymenter_stores_and_records_a_new_servers_key_in_clear(): void
    {
        $this->created();
        $this->assertSame(2, substr_count(Database::dump(), self::KEY)); // or this test would prove nothing
    }

    public function test_afterwards_the_key_is_nowhere_in_the_database(): void
    {
        $this->created();
        Secrets::protect($this->server, self::SCHEMA);
        $this->assertStringNotContainsString(self::KEY, Database::dump());
        $this->assertStringNotContainsString(substr(self::KEY, 0, 4), Database::dump());
        $this->assertSame(self::KEY, $this->setting('api_key')->value);
        $this->assertTrue($this->setting('api_key')->encrypted);
    }

    public function test_the_rest_of_the_audit_and_of_the_settings_stays(): void
    {
        $this->created();
        $before = Audit::where('auditable_id', $this->setting('api_base')->id)->get()->toArray();
        Secrets::protect($this->server, self::SCHEMA);
        $this->assertSame($before, Audit::where('auditable_id', $this->setting('api_base')->id)->get()->toArray());
        $this->assertSame(['http://host', false], [$this->setting('api_base')->value, $this->setting('api_base')->encrypted]);
        $row = Audit::where('auditable_id', $this->setting('api_key')->id)->where('event', 'created')->first();
        $this->assertSame(['key' => 'api_key', 'value' => '########'], array_intersect_key($row->new_values, ['key' => 1, 'value' => 1]));
    }

    public function test_a_later_key_is_masked_as_well(): void
    {
        $this->created();
        Secrets::protect($this->server, self::SCHEMA);
        $this->server->settings()->updateOrCreate(['key' => 'api_key'], ['value' => 'np_another', 'encrypted' => true]);
        Secrets::protect($this->server, self::SCHEMA);
        foreach (['np_a', 'np_0'] as $part) {
            $this->assertStringNotContainsString($part, Database::dump());
        }
        $this->assertSame('np_another', $this->setting('api_key')->value);
    }

    public function test_a_repeat_writes_nothing(): void
    {
        $this->created();
        Secrets::protect($this->server, self::SCHEMA);
        $before = Database::dump();
        Secrets::protect($this->server, self::SCHEMA);
        $this->assertSame($before, Database::dump());
    }

    public function test_an_empty_key_stays_empty(): void
    {
        $this->created('');
        Secrets::protect($this->server, self::SCHEMA);
        $this->assertSame(['', false], [$this->setting('api_key')->value, $this->setting('api_key')->encrypted]);
    }
}
