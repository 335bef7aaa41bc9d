<?php

namespace Tests\DNS;

use App\Models\Extension;
use Paymenter\Extensions\Others\DNS\Api\Client;
use Paymenter\Extensions\Others\DNS\DNS;
use Paymenter\Extensions\Others\DNS\Zones;
use PHPUnit\Framework\TestCase;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\Log;

/** Tests with an installed and enabled DNS extension, in which each customer and each domain is new. */
abstract class Customers extends TestCase
{
    protected const PROXY = '203.0.113.10';

    protected const NAMESERVERS = ['ns1.nodepoint.eu', 'ns2.nodepoint.eu'];

    protected function setUp(): void
    {
        Log::clear();
        Laravel::start();
        Laravel::$user->id = self::customer();
        self::install(Demo::url());
        (new DNS)->boot();
        self::assertSame([], array_map(strval(...), Log::$reported));
        Laravel::$router->getRoutes()->refreshNameLookups(); // as Laravel does once all providers have booted
    }

    protected function tearDown(): void
    {
        Laravel::stop();
    }

    protected static function install(string $url, ?string $token = null, bool $enabled = true): void
    {
        Extension::$table = [new Extension('DNS', 'other', $enabled, ['base_url' => $url, 'api_key' => $token ?? Demo::token(),
            'proxy_address' => self::PROXY, 'nameservers' => implode(', ', self::NAMESERVERS)])];
    }

    protected static function customer(): int
    {
        return random_int(1_000_000, 2_000_000_000);
    }

    protected static function zones(?int $customer = null): Zones
    {
        return new Zones(new Client(Demo::url(), Demo::token()), (string) ($customer ?? Laravel::$user->id));
    }

    /** A domain that is delegated to the platform. */
    protected static function domain(): string
    {
        $domain = 'dns-'.bin2hex(random_bytes(5)).'.example.com';
        Demo::lab('/_lab/dns', ['name' => $domain, 'type' => 'NS', 'values' => self::NAMESERVERS]);

        return $domain;
    }

    /** The id of a new zone of the customer who is logged in. */
    protected static function zone(?string $domain = null): string
    {
        $domain ??= self::domain();
        self::settle(self::zones(), self::zones()->add($domain, 'jane@example.com'));
        foreach (self::zones()->all() as $zone) {
            if ($zone->name === $domain) {
                return $zone->id;
            }
        }
        self::fail("$domain was not made");
    }

    protected static function settle(Zones $zones, ?string $job): void
    {
        if ($job !== null) {
            Demo::until(fn () => $zones->isDone($job), 'the job is done');
        }
    }
}
