<?php

namespace Tests\ProxmoxWP;

use App\Helpers\NotificationHelper;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\ProxmoxWP;
use RuntimeException;
use Tests\Support\Demo;
use Tests\Support\Log;
use Tests\Support\OddServer;
use Tests\Support\Patience;

class HooksTest extends Sites
{
    private const HOOKS = ['createServer', 'suspendServer', 'unsuspendServer', 'terminateServer', 'upgradeServer'];

    private static Patience $patience;

    public static function setUpBeforeClass(): void
    {
        self::$patience = new Patience(ProxmoxWP::class);
        foreach (['hang', 'drip', 'drop', 'html'] as $way) {
            self::$patience->begin($way, self::HOOKS);
        }
    }

    public function test_an_order_becomes_a_site_and_is_answered_at_once(): void
    {
        $service = $this->service(['plan' => 'standard'], 'jane.doe@example.com');
        $began = microtime(true);
        $mail = $this->call('createServer', $service);
        $this->assertLessThan(5, microtime(true) - $began);
        $this->assertSame([(string) $service->id, 'standard', self::IP], [$mail['service_id'], $mail['plan'], $mail['public_ip']]);
        $this->assertStringStartsWith('janedoe', $mail['subdomain']);
        $this->assertSame('https://'.$mail['subdomain'].'.nodepoint.eu', $mail['url']);
        $this->assertContains($mail['status'], ['provisioning', 'running']);

        $site = $this->until($service, 'running');
        $this->assertSame('standard', $site['plan']['name']);
        $this->assertSame('jane.doe@example.com', $site['email']);
    }

    public function test_subdomain_and_addresses_become_properties(): void
    {
        $service = $this->service();
        $mail = $this->call('createServer', $service);
        $this->assertSame(['nodepoint_subdomain' => $mail['subdomain'], 'nodepoint_url' => $mail['url'],
            'nodepoint_public_ip' => self::IP], $service->propertiesByKey());
    }

    public function test_staff_are_told_of_a_hook_that_failed(): void
    {
        NotificationHelper::$sent = [];
        $service = $this->service(['plan' => 'Monthly']);
        foreach (self::HOOKS as $hook) {
            if ($hook !== 'terminateServer') { // there is nothing to delete, which is no failure
                $this->failure(fn () => $this->call($hook, $service));
            }
        }
        $this->assertSame(["Service $service->id: create failed", "Service $service->id: suspend failed",
            "Service $service->id: unsuspend failed", "Service $service->id: upgrade failed"], array_column(NotificationHelper::$sent, 0));
    }

    public function test_ordering_again_finds_the_site_that_is_there(): void
    {
        $service = $this->shared();
        $email = $service->user->email;
        $vmid = $this->status($service)['vmid'];
        $mail = $this->call('createServer', $service);
        $this->assertSame('running', $mail['status']);
        // Not the same order to the last letter: the idempotency key does not help, the backend says that it exists.
        $service->user->email = 'changed@example.com';
        $this->assertSame($mail, $this->call('createServer', $service));
        $this->assertSame($vmid, $this->status($service)['vmid']);
        $service->user->email = $email;
    }

    public function test_after_a_termination_the_same_service_can_be_ordered_again(): void
    {
        $service = $this->live();
        for ($round = 1; $round <= 2; $round++) {
            $this->call('terminateServer', $service);
            Demo::until(fn () => $this->call('terminateServer', $service)['status'] === 'deleted', 'site is deleted');
            $this->assertSame('provisioning', $this->call('createServer', $service)['status'], "round $round");
            $this->until($service, 'running');
        }
    }

    public function test_an_order_while_the_last_site_is_being_deleted_fails(): void
    {
        $service = $this->live();
        Demo::lab('/_lab/faults', ['system' => 'cloudflare', 'kind' => 'slow', 'seconds' => 2, 'count' => 2]);
        try {
            $this->assertSame('deleting', $this->call('terminateServer', $service)['status']);
            $service->user->email = 'another@example.com';
            $e = $this->failure(fn () => $this->call('createServer', $service));
            $this->assertStringContainsString('still being deleted', $e->getMessage());
        } finally {
            Demo::lab('/_lab/faults', [], 'DELETE');
        }
        Demo::until(fn () => $this->call('terminateServer', $service)['status'] === 'deleted', 'site is deleted');
    }

    public function test_suspend_and_unsuspend_as_often_as_one_likes(): void
    {
        $service = $this->shared();
        foreach (['suspendServer' => 'suspended', 'unsuspendServer' => 'running'] as $hook => $status) {
            $this->assertSame(['status' => $status], $this->call($hook, $service));
            $this->assertSame(['status' => $status], $this->call($hook, $service));
            $this->until($service, $status);
        }
    }

    public function test_an_upgrade_takes_the_plan_of_the_new_product_and_a_downgrade_that_would_shrink_the_disk_fails(): void
    {
        $service = $this->live();
        $service->product->settings = ['plan' => 'Premium'];
        $this->assertSame(['plan' => 'premium'], $this->call('upgradeServer', $service));
        $this->assertSame(8192, $this->until($service, 'running')['plan']['memory_mb']);
        $service->product->settings = ['plan' => 'basic'];
        $e = $this->failure(fn () => $this->call('upgradeServer', $service));
        $this->assertSame("The site's disk has 80 GB and cannot shrink to 20 GB.", $e->getMessage());
    }

    public function test_a_plan_that_does_not_exist_fails_with_those_that_do(): void
    {
        $e = $this->failure(fn () => $this->call('createServer', $this->service(['plan' => 'Monthly'])));
        $this->assertStringContainsString('basic, standard, premium', $e->getMessage());
    }

    public function test_a_product_without_a_plan_fails_before_anything_is_asked(): void
    {
        foreach ([[], ['plan' => ''], ['plan' => null]] as $settings) {
            foreach (['createServer', 'upgradeServer'] as $hook) {
                $e = $this->failure(fn () => $this->call($hook, $this->service($settings)));
                $this->assertInstanceOf(RuntimeException::class, $e);
                $this->assertStringContainsString('No plan is chosen', $e->getMessage());
            }
        }
    }

    public function test_hooks_for_a_service_that_the_backend_does_not_know_fail(): void
    {
        foreach (['suspendServer', 'unsuspendServer', 'upgradeServer'] as $hook) {
            $e = $this->failure(fn () => $this->call($hook, $this->service()));
            $this->assertSame('There is no site for this service.', $e->getMessage());
        }
    }

    public function test_the_termination_of_an_order_that_never_became_a_site_succeeds_and_is_logged(): void
    {
        $service = $this->service();
        $this->assertSame(['status' => 'deleted'], $this->call('terminateServer', $service));
        $this->assertSame(['service' => $service->id], Log::$lines[0][1]);
    }

    public function test_the_termination_of_a_site_that_the_backend_never_saw_fails(): void
    {
        $service = $this->service();
        $service->properties()->updateOrCreate(['key' => 'nodepoint_url'], ['value' => 'https://x.nodepoint.eu']);
        $this->assertSame('There is no site for this service.',
            $this->failure(fn () => $this->call('terminateServer', $service))->getMessage());
    }

    public function test_a_404_of_another_server_is_no_termination(): void
    {
        foreach (['page', 'refusal', 'empty500'] as $way) {
            $extension = $this->extension(['api_base' => OddServer::way($way)]);
            $this->assertInstanceOf(ApiException::class,
                $this->failure(fn () => $this->call('terminateServer', $this->service(), $extension)));
        }
    }

    public function test_hostile_customers_are_refused_with_a_sentence(): void
    {
        foreach (['"><script>alert(1)</script>@example.com', str_repeat('a', 300).'@example.com', "a@b.c\r\nX: y", 'ä'] as $email) {
            $e = $this->failure(fn () => $this->call('createServer', $this->service(email: $email)));
            $this->assertInstanceOf(ApiException::class, $e);
            $this->assertSame(400, $e->status);
        }
    }

    public function test_every_failure_of_the_transport_is_an_exception_with_a_sentence(): void
    {
        foreach (['list', 'redirect', 'garbage', 'nothing'] as $way) {
            $extension = $this->extension(['api_base' => OddServer::way($way)]);
            foreach (self::HOOKS as $hook) {
                $e = $this->failure(fn () => $this->call($hook, $this->service(), $extension));
                $this->assertInstanceOf(ApiException::class, $e, "$way $hook");
                $this->assertNotSame('', $e->getMessage());
            }
        }
    }

    public function test_every_hook_ends_within_thirty_seconds_whatever_the_backend_does(): void
    {
        $ends = self::$patience->ends();
        $this->assertCount(4 * count(self::HOOKS), $ends);
        foreach ($ends as $name => $end) {
            $this->assertSame(ApiException::class, $end['class'], $name);
            $this->assertLessThan(30, $end['seconds'], $name);
        }
    }

    public function test_an_accepted_order_is_no_failure_when_its_status_cannot_be_read(): void
    {
        $service = $this->service();
        $extension = $this->extension(['api_base' => OddServer::way('hollow')]);
        $this->assertSame('', $this->call('createServer', $service, $extension)['subdomain']);
        $this->assertSame(['nodepoint_public_ip' => self::IP], $service->propertiesByKey());
    }
}
