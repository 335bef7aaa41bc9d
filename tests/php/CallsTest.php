<?php

namespace Tests;

use LogicException;
use Paymenter\Extensions\Shared\Calls;
use Paymenter\Extensions\Shared\Client;
use PHPUnit\Framework\TestCase;
use Tests\Support\OddServer;

class CallsTest extends TestCase
{
    private function calls(array $call): Calls
    {
        return new Calls(new Client(OddServer::way('echo'), 'token'), ['it' => $call + ['within' => 5, 'sends' => ['a', 'b'], 'reads' => ['path']]]);
    }

    public function test_only_what_is_read_is_handed_on(): void
    {
        $calls = $this->calls(['POST', '/x', 'reads' => ['method', 'headers.accept', 'headers.*.x', 'none', 'body.*']]);
        $this->assertSame(['method' => 'POST', 'headers' => ['accept' => 'application/json']], $calls->make('it'));
    }

    public function test_what_is_not_in_the_table_cannot_be_sent(): void
    {
        $this->expectException(LogicException::class);
        $this->calls(['POST', '/x'])->make('it', ['c' => 1]);
    }

    public function test_a_field_in_the_path_is_encoded_and_not_sent_again(): void
    {
        $path = $this->calls(['GET', '/jobs/{a}'])->make('it', ['a' => '../x?y', 'b' => '1'])['path'];
        $this->assertSame('/echo/jobs/..%2Fx%3Fy?b=1', $path);
    }

    public function test_insisting_goes_by_the_table_as_well(): void
    {
        $this->assertSame('/echo/x', $this->calls(['POST', '/x'])->insist('it', ['a' => 1], [], 5)['path']);
        $this->expectException(LogicException::class);
        $this->calls(['POST', '/x'])->insist('it', ['c' => 1], [], 5);
    }
}
