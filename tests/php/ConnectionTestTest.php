<?php

namespace Tests;

use Paymenter\Extensions\Shared\ConnectionTest;
use PHPUnit\Framework\TestCase;
use Tests\Support\Demo;
use Tests\Support\OddServer;

class ConnectionTestTest extends TestCase
{
    public function test_address_key_and_scope_are_right(): void
    {
        $this->assertTrue(ConnectionTest::run(Demo::url(), Demo::token(), 'sites'));
    }

    public function test_a_wrong_address_is_named(): void
    {
        $this->assertStringContainsString('Is the address right', ConnectionTest::run('http://127.0.0.1:9', Demo::token(), 'sites'));
        $this->assertStringContainsString('Is the address right', ConnectionTest::run(OddServer::way('page'), Demo::token(), 'sites'));
        $this->assertStringContainsString('http://', ConnectionTest::run('nodepoint', Demo::token(), 'sites'));
    }

    public function test_a_wrong_key_is_named(): void
    {
        $this->assertStringContainsString('the API key is unknown', ConnectionTest::run(Demo::url(), 'wrong', 'sites'));
        $this->assertStringContainsString('API key is missing', ConnectionTest::run(Demo::url(), null, 'sites'));
    }

    public function test_a_missing_scope_is_named(): void
    {
        $this->assertStringContainsString('lacks the scope "billing"', ConnectionTest::run(Demo::url(), Demo::token(), 'billing'));
        $this->assertStringContainsString('lacks the scope "sites"', ConnectionTest::run(OddServer::way('wrong'), 'token', 'sites'));
    }
}
