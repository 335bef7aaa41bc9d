<?php

namespace Tests\ProxmoxWP;

use InvalidArgumentException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Backups;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Domains;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Overview;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;
use Tests\Support\Demo;
use Tests\Support\OddServer;

class PanelsTest extends Sites
{
    /** Waits for a job that an act has begun; null is one that has ended already. */
    private function ended(Panel $panel, ?array $job): void
    {
        if ($job !== null) {
            $this->assertTrue($job['running']);
            $end = Demo::until(function () use ($panel, $job) {
                $now = $panel->job($job['id']);

                return $now['running'] ? null : $now;
            }, 'job has ended');
            $this->assertSame([true, 100], [$end['succeeded'], $end['percent']], $end['error']);
        }
    }

    public function test_the_overview_while_a_site_is_made_shows_how_far_it_is(): void
    {
        $service = $this->service();
        Demo::lab('/_lab/speed', ['factor' => 0.02]);
        try {
            $this->call('createServer', $service);
            $data = (new Overview($this->backend($service)))->read();
        } finally {
            Demo::lab('/_lab/speed', ['factor' => 0]);
        }
        $this->assertSame(['provisioning', true, true], [$data['status'], $data['busy'], $data['job']['running']]);
        $this->until($service, 'running');
        $this->assertFalse((new Overview($this->backend($service)))->read()['busy']);
    }

    public function test_the_overview_of_a_site_has_all_there_is_to_show(): void
    {
        $service = $this->shared();
        $data = Demo::until(function () use ($service) { // one reading of the cluster serves for some seconds
            $data = (new Overview($this->backend($service)))->read();

            return $data['uptime'] === '' ? null : $data;
        }, 'usage is read');
        $this->assertSame('running', $data['status']);
        $this->assertSame("https://{$data['subdomain']}.nodepoint.eu", $data['url']);
        $this->assertSame(self::IP, $data['public_ip']);
        $this->assertSame(['name' => 'basic', 'memory_mb' => 2048, 'disk_gb' => 20, 'cores' => 2], $data['plan']);
        $this->assertMatchesRegularExpression('/^[\d.]+%$/', $data['cpu']);
        $this->assertStringContainsString('2048MB', $data['memory']);
        $this->assertStringContainsString('20GB', $data['disk']);
        $this->assertNotSame('', $data['uptime']);
        $this->assertSame('', $data['disk_warning']);
        $this->assertSame([true, false], [$data['enabled'], $data['stale']]);
    }

    public function test_power(): void
    {
        $service = $this->shared();
        $panel = new Overview($this->backend($service));
        foreach (['stop' => 'stopped', 'start' => 'running', 'restart' => 'running'] as $verb => $status) {
            $this->ended($panel, $panel->power($verb));
            $this->assertSame($status, $panel->read()['status']);
        }
        $this->expectException(InvalidArgumentException::class);
        $panel->power('../delete-site');
    }

    public function test_the_toggle_says_what_is_wished_however_often(): void
    {
        $service = $this->shared();
        $panel = new Overview($this->backend($service));
        foreach ([false, false, true, true] as $wish) {
            $this->ended($panel, $panel->toggle($wish));
            $this->assertSame($wish, $panel->read()['enabled']);
        }
    }

    public function test_a_reset_leads_back_to_the_first_day(): void
    {
        $service = $this->shared();
        $panel = new Overview($this->backend($service));
        $this->ended($panel, $panel->reset());
        $this->ended($panel, $panel->reset(true));
        $this->assertSame('running', $panel->read()['status']);
    }

    public function test_a_suspended_site_refuses_acts_with_a_sentence_and_can_be_read(): void
    {
        $service = $this->shared();
        $this->call('suspendServer', $service);
        $panel = new Overview($this->backend($service));
        $this->assertSame('suspended', $panel->read()['status']);
        $e = $this->failure(fn () => $panel->power('start'));
        $this->assertSame([401, 'This service is suspended.'], [$e->status, $e->getMessage()]);
        $this->assertTrue((new Backups($this->backend($service)))->read()['allowed'] > 0);
        $this->call('unsuspendServer', $service);
    }

    public function test_a_domain_comes_gets_its_certificate_and_goes(): void
    {
        $service = $this->shared();
        $panel = new Domains($this->backend($service));
        $this->assertSame(['busy' => false, 'domains' => [], 'used' => 0, 'allowed' => 3, 'remaining' => 3,
            'own' => ['name' => $this->status($service)['subdomain'].'.nodepoint.eu', 'primary' => true]], $panel->read());

        $name = "shop{$service->id}.example.com";
        $e = $this->failure(fn () => $panel->add($name));
        $this->assertSame(400, $e->status);
        $this->assertNotSame('', $e->getMessage());

        Demo::lab('/_lab/dns', ['name' => $name, 'type' => 'A', 'values' => [self::IP]]);
        $this->ended($panel, $panel->add(" $name "));
        $data = Demo::until(function () use ($panel) {
            $data = $panel->read();

            return $data['busy'] ? null : $data;
        }, 'certificate is active');
        $this->assertSame([['name' => $name, 'status' => 'active', 'certificate' => 'active', 'error' => '',
            'problem' => '', 'primary' => true]], $data['domains']);
        $this->assertSame([1, 2], [$data['used'], $data['remaining']]);

        $this->ended($panel, $panel->remove($name));
        $this->assertSame([], $panel->read()['domains']);
    }

    /** @return list<array{string}> */
    public static function hostileDomains(): array
    {
        return [['<script>alert(1)</script>'], ["a'; DROP TABLE x;--"], ['"><img src=x>'], [str_repeat('a', 300).'.com'], ['-'], [''],
            ["exa\x00mple.com"], ['$(reboot).com'], ["a\xff.com"], ['nodepoint.eu'], ['co.uk'], ['例え'], ['../../etc/passwd']];
    }

    /** @dataProvider hostileDomains */
    public function test_hostile_domains_are_refused_with_a_sentence(string $domain): void
    {
        $e = $this->failure(fn () => (new Domains($this->backend($this->shared())))->add($domain));
        $this->assertInstanceOf(ApiException::class, $e);
        $this->assertContains($e->status, [400, 409]);
        $this->assertNotSame('', $e->getMessage());
    }

    public function test_backups_are_made_used_and_deleted(): void
    {
        $service = $this->shared();
        $panel = new Backups($this->backend($service));
        $own = fn () => array_values(array_filter($panel->read()['backups'], fn (array $row) => ! $row['safety']));
        $this->assertSame([false, 0, 2], [$panel->read()['busy'], $panel->read()['used'], $panel->read()['allowed']]);
        $this->assertSame([], $own());
        $this->ended($panel, $panel->create());
        $this->assertSame(1, $panel->read()['used']);
        [$backup] = $own();
        $this->assertSame('ready', $backup['status']);
        $this->assertEqualsWithDelta(time(), $backup['made_at'], 120);

        $this->ended($panel, $panel->rollBack($backup['name']));
        $kept = array_column($panel->read()['backups'], 'safety', 'name');
        $this->assertSame([true, false], [$kept['before'], $kept[$backup['name']]]);
        $this->ended($panel, $panel->create());
        $e = $this->failure(fn () => $panel->create());
        $this->assertSame([409, 'quota_exceeded'], [$e->status, $e->errorCode]);
        $this->ended($panel, $panel->delete($backup['name']));
        $this->assertSame('not_found', $this->failure(fn () => $panel->delete($backup['name']))->errorCode);
        $this->ended($panel, $panel->delete($own()[0]['name']));
        $this->assertSame(0, $panel->read()['used']);
    }

    public function test_hostile_names_of_backups_are_refused(): void
    {
        $panel = new Backups($this->backend($this->shared()));
        foreach (['initial', '../x', "a'b", '', str_repeat('x', 100), '; reboot'] as $name) {
            $e = $this->failure(fn () => $panel->delete($name));
            $this->assertInstanceOf(ApiException::class, $e);
            $this->assertContains($e->status, [400, 404, 409], $name);
        }
    }

    public function test_another_services_site_is_out_of_reach_of_a_panel(): void
    {
        $mine = $this->shared();
        $panel = new Backups($this->backend($this->live()));
        $other = new Backups($this->backend($mine));
        $this->ended($other, $other->create());
        $name = $other->read()['backups'][0]['name'];
        $this->assertSame('not_found', $this->failure(fn () => $panel->rollBack($name))->errorCode);
        $this->assertSame(1, $other->read()['used']);
        $this->ended($other, $other->delete($name));
    }

    /** @return list<array{class-string, array}> */
    public static function panels(): array
    {
        return [
            [Overview::class, ['status' => 'unknown', 'busy' => false, 'job' => null, 'url' => '', 'cpu' => '', 'enabled' => false]],
            [Domains::class, ['busy' => false, 'used' => 0, 'remaining' => 0]],
            [Backups::class, ['busy' => false, 'used' => 0, 'allowed' => 0]],
        ];
    }

    /** @dataProvider panels */
    public function test_answers_of_another_shape_break_nothing(string $class, array $expected): void
    {
        foreach (['hollow', 'wrong'] as $way) {
            $data = (new $class($this->backend($this->service(), OddServer::way($way))))->read();
            $this->assertSame($expected, array_intersect_key($data, $expected), $way);
        }
    }
}
