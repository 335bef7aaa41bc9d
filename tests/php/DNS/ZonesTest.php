<?php

namespace Tests\DNS;

use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Api\Client;
use Paymenter\Extensions\Others\DNS\Record;
use Paymenter\Extensions\Others\DNS\Zones;
use Tests\Support\Demo;
use Tests\Support\OddServer;

class ZonesTest extends Customers
{
    private static function form(string $type, string $name, string $content, string $ttl = '3600', string $priority = ''): array
    {
        return ['type' => $type, 'name' => $name, 'ttl' => $ttl, 'content' => $content, 'priority' => $priority];
    }

    private function record(string $zone, string $type, string $name): ?Record
    {
        $found = self::zones()->find($zone);
        foreach ($found->records as $record) {
            if ($record->type === $type && $record->within($found->name) === $name) {
                return $record;
            }
        }

        return null;
    }

    private function refusal(callable $act): ApiException
    {
        try {
            $act();
        } catch (ApiException $e) {
            return $e;
        }
        $this->fail('it was not refused');
    }

    public function test_a_customer_begins_without_zones(): void
    {
        $this->assertSame([], self::zones()->all());
    }

    public function test_a_new_zone_has_name_servers_and_the_records_of_the_template(): void
    {
        $zone = self::zones()->find(self::zone());
        $this->assertSame('active', $zone->status);
        $this->assertSame(self::NAMESERVERS, $zone->nameservers);
        $this->assertSame(self::PROXY, $this->record($zone->id, 'A', '@')->data);
        $this->assertSame(self::PROXY, $this->record($zone->id, 'A', 'www')->data);
        $this->assertTrue($this->record($zone->id, 'NS', '@')->isProtected($zone->name));
    }

    public function test_a_domain_that_is_not_delegated_is_refused_with_what_to_set(): void
    {
        Demo::lab('/_lab/dns', ['name' => 'elsewhere.example.com', 'type' => 'NS', 'values' => ['ns1.other.example']]);
        $e = $this->refusal(fn () => self::zones()->add('elsewhere.example.com', 'jane@example.com'));
        $this->assertStringContainsString('ns1.nodepoint.eu', $e->getMessage());
        $this->assertArrayHasKey('domain', $e->fields);
    }

    public function test_an_address_that_the_backend_does_not_take_stops_nobody(): void
    {
        $domain = self::domain();
        self::settle(self::zones(), self::zones()->add($domain, 'jäne@example.com'));
        $this->assertSame([$domain], array_column(self::zones()->all(), 'name'));
    }

    /** @dataProvider records */
    public function test_every_type_of_record_can_be_added(string $type, string $name, string $content, string $data): void
    {
        $zone = self::zone();
        self::settle(self::zones(), self::zones()->addRecord($zone, self::form($type, $name, $content, '300', '20')));
        $record = $this->record($zone, $type, $name);
        $this->assertSame([$data, 300, true], [$record->data, $record->ttl, $record->active]);
        $this->assertSame(in_array($type, ['MX', 'SRV'], true) ? 20 : null, $record->priority);
    }

    public static function records(): array
    {
        return [
            'A' => ['A', 'host', '198.51.100.7', '198.51.100.7'],
            'the alias, in any case' => ['A', 'shop', 'proxysrv', self::PROXY],
            'AAAA' => ['AAAA', 'six', '2001:DB8::1', '2001:db8::1'],
            'CNAME' => ['CNAME', 'alias', 'target.example.net', 'target.example.net.'],
            'MX' => ['MX', '@', 'mail.example.net.', 'mail.example.net.'],
            'NS' => ['NS', 'sub', 'ns.example.net', 'ns.example.net.'],
            'SRV' => ['SRV', '_sip._tcp', '5 5060 sip.example.net', '5 5060 sip.example.net.'],
            'CAA' => ['CAA', '@', '0 issue "letsencrypt.org"', '0 issue "letsencrypt.org"'],
            'TLSA' => ['TLSA', '_443._tcp.www', '3 1 1 '.str_repeat('0C', 32), '3 1 1 '.str_repeat('0c', 32)],
            'SSHFP' => ['SSHFP', 'host', '4 2 '.str_repeat('9A', 32), '4 2 '.str_repeat('9a', 32)],
            'TXT' => ['TXT', '_x', 'v=spf1 "quoted" <b> ünï \\ ;', 'v=spf1 "quoted" <b> ünï \\ ;'],
        ];
    }

    public function test_a_record_is_changed_and_deleted(): void
    {
        $zone = self::zone();
        $id = $this->record($zone, 'A', 'www')->id;
        self::settle(self::zones(), self::zones()->updateRecord($zone, $id, self::form('A', 'www', '198.51.100.9', '120')));
        $this->assertSame(['198.51.100.9', 120], [$this->record($zone, 'A', 'www')->data, $this->record($zone, 'A', 'www')->ttl]);
        self::settle(self::zones(), self::zones()->deleteRecord($zone, $this->record($zone, 'A', 'www')->id));
        $this->assertNull($this->record($zone, 'A', 'www'));
    }

    /** @dataProvider mistakes */
    public function test_what_is_wrong_is_refused_with_a_sentence(array $form, string $sentence): void
    {
        $e = $this->refusal(fn () => self::zones()->addRecord(self::zone(), $form));
        $this->assertStringContainsString($sentence, $e->getMessage());
    }

    public static function mistakes(): array
    {
        return [
            'no address' => [self::form('A', 'x', '<script>alert(1)</script>'), 'IPv4'],
            'another alphabet in an address' => [self::form('A', 'x', '１.２.３.４'), 'IPv4'],
            'the alias as AAAA' => [self::form('AAAA', 'x', 'PROXYSRV'), 'IPv6'],
            'an unknown type' => [self::form('NAPTR', 'x', 'y'), 'type'],
            'a hostile name' => [self::form('A', "x'; DROP TABLE", '198.51.100.7'), 'name'],
            'a TTL out of bounds' => [self::form('A', 'x', '198.51.100.7', '5'), '60'],
            'no TTL' => [self::form('A', 'x', '198.51.100.7', 'soon'), 'digits'],
            'a very long text' => [self::form('TXT', 'x', str_repeat('x', 5000)), '4096'],
            'beyond all bounds' => [self::form('TXT', 'x', str_repeat('x', 70_000)), 'large'],
            'the name servers' => [self::form('NS', '@', 'ns.example.net'), 'ours'],
            'a CNAME on the domain itself' => [self::form('CNAME', '@', 'x.example.net'), 'CNAME'],
        ];
    }

    public function test_the_same_record_twice_is_refused(): void
    {
        $e = $this->refusal(fn () => self::zones()->addRecord(self::zone(), self::form('A', 'www', 'PROXYSRV')));
        $this->assertTrue($e->is('exists'));
    }

    public function test_the_platforms_records_cannot_be_deleted(): void
    {
        $zone = self::zone();
        $id = $this->record($zone, 'NS', '@')->id;
        $this->assertTrue($this->refusal(fn () => self::zones()->deleteRecord($zone, $id))->is('protected'));
    }

    public function test_a_zone_goes_with_all_its_records(): void
    {
        $id = self::zone();
        self::settle(self::zones(), self::zones()->delete($id));
        $this->assertSame([], self::zones()->all());
    }

    public function test_among_several_zones_the_one_that_is_meant_goes(): void
    {
        [$one, $two] = [self::domain(), self::domain()];
        $first = self::zone($one);
        $second = self::zone($two);
        $this->assertSame([$one, $two], [self::zones()->find($first)->name, self::zones()->find($second)->name]);
        self::settle(self::zones(), self::zones()->delete($second));
        $this->assertSame([$one], array_column(self::zones()->all(), 'name'));
    }

    public function test_another_customers_zone_does_not_exist(): void
    {
        $domain = self::domain();
        $zone = self::zone($domain);
        $record = $this->record($zone, 'A', 'www')->id;
        $other = self::customer();
        $form = self::form('A', 'mine', '198.51.100.7');
        $this->assertSame([], self::zones($other)->all());
        foreach ([
            fn () => self::zones($other)->find($zone),
            fn () => self::zones($other)->delete($zone),
            fn () => self::zones($other)->addRecord($zone, $form),
            fn () => self::zones($other)->updateRecord($zone, $record, $form),
            fn () => self::zones($other)->deleteRecord($zone, $record),
        ] as $act) {
            $this->assertSame([404, 'not_found'], [$this->refusal($act)->status, $this->refusal($act)->errorCode]);
        }
        $e = $this->refusal(fn () => self::zones($other)->add($domain, 'eve@example.com'));
        $this->assertSame('taken', $e->errorCode);
        $this->assertSame(self::PROXY, $this->record($zone, 'A', 'www')->data);
    }

    public function test_work_that_takes_longer_is_told_by_its_job(): void
    {
        Demo::lab('/_lab/faults', ['system' => 'ispconfig', 'kind' => 'slow', 'count' => 3, 'seconds' => 3, 'match' => 'dns_a_add']);
        try {
            $zone = self::domain();
            $begun = microtime(true);
            $job = self::zones()->add($zone, 'jane@example.com');
            $this->assertLessThan(8, microtime(true) - $begun);
            $this->assertIsString($job);
            self::settle(self::zones(), $job);
        } finally {
            Demo::lab('/_lab/faults', [], 'DELETE');
        }
        $this->assertSame([$zone], array_column(self::zones()->all(), 'name'));
    }

    public function test_a_job_that_is_not_there_is_no_success(): void
    {
        $this->assertTrue($this->refusal(fn () => self::zones()->isDone(str_repeat('0', 32)))->is('not_found'));
    }

    /** @dataProvider oddities */
    public function test_an_answer_that_is_none_is_no_list(string $way): void
    {
        $zones = new Zones(new Client(OddServer::way($way), 'token'), '7');
        $this->assertTrue($this->refusal(fn () => $zones->all())->isUnanswered());
    }

    public static function oddities(): array
    {
        return [['page'], ['garbage'], ['hollow'], ['drop'], ['redirect'], ['list']];
    }

    public function test_records_of_a_strange_shape_are_harmless(): void
    {
        $odd = Record::from(['id' => '1); alert(1', 'type' => ['x'], 'ttl' => null, 'priority' => [], 'data' => 5]);
        $this->assertSame(['', '', '', '5', 0, null, false],
            [$odd->id, $odd->type, $odd->name, $odd->data, $odd->ttl, $odd->priority, $odd->active]);
        $this->assertTrue($odd->isProtected('example.com'));
    }
}
