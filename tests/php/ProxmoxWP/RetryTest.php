<?php

namespace Tests\ProxmoxWP;

use App\Events\Service\Updated as ServiceUpdated;
use App\Events\User\Updated as UserUpdated;
use App\Helpers\ExtensionHelper;
use App\Helpers\NotificationHelper;
use App\Models\FailedJob;
use App\Models\Property;
use App\Models\Service;
use App\Models\User;
use Illuminate\Support\Facades\Event;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Overdue;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Retry;
use Tests\Support\OddServer;

/** What Paymenter's scheduler repeats, and what it lets be. */
class RetryTest extends Sites
{
    protected function setUp(): void
    {
        parent::setUp();
        [Property::$services, NotificationHelper::$sent, NotificationHelper::$customers, FailedJob::$table] = [[], [], [], []];
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        Property::$services = [];
    }

    private function retry(): int
    {
        return (new Retry('ProxmoxWP'))->run();
    }

    /** A service one of whose hooks failed a while ago. */
    private function failed(Service $service, string $act, string $status = Service::STATUS_ACTIVE): Service
    {
        Overdue::wanted($service, $act, 'It failed.');
        $service->status = $status;

        return Property::$services[] = $service;
    }

    public function test_an_order_that_failed_becomes_a_site_and_the_customer_is_told(): void
    {
        $service = $this->failed($this->service(), 'create');
        FailedJob::of('CreateJob', $service->id);
        $this->assertSame(1, $this->retry());
        $this->assertSame('running', $this->until($service, 'running')['status']);
        $this->assertNull(Overdue::of($service, 'create'));
        $this->assertSame([['new_server_created', $service->id]], NotificationHelper::$customers);
        $this->assertSame([], FailedJob::$table);
        $this->assertSame(0, $this->retry());

        // The same site: a suspension that failed, which somebody has paid in the meantime.
        $this->failed($service, 'suspend');
        $this->assertSame(0, $this->retry());
        $this->assertNull(Overdue::of($service, 'suspend'));
        $this->assertSame('running', $this->status($service)['status']);

        // One that is still wanted.
        Property::$services = [];
        $this->failed($service, 'suspend', Service::STATUS_SUSPENDED);
        $this->assertSame(1, $this->retry());
        $this->until($service, 'suspended');
        $this->assertSame(['server_suspended', $service->id], end(NotificationHelper::$customers));

        // And one that is paid while it is being tried.
        $this->failed($service, 'suspend', Service::STATUS_SUSPENDED);
        $looks = 0;
        $service->refreshed = function (Service $service) use (&$looks) {
            $service->status = ++$looks > 1 ? Service::STATUS_ACTIVE : Service::STATUS_SUSPENDED;
        };
        $this->retry();
        $service->refreshed = null;
        $this->assertSame('running', $this->until($service, 'running')['status']);

        $this->failed($service, 'terminate', Service::STATUS_CANCELLED);
        $this->assertGreaterThan(0, $this->retry());
        $this->assertNull(Overdue::of($service, 'terminate'));
        $this->assertContains($this->extension()->terminateServer($service, [], [])['status'], ['deleting', 'deleted']);
    }

    /** @dataProvider overtaken */
    public function test_what_time_has_overtaken_is_dropped_unasked(string $act, string $status): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('hang')]);
        $service = $this->failed($this->service(), $act, $status);
        $job = FailedJob::of(ucfirst($act).'Job', $service->id);
        $this->assertSame(0, $this->retry());
        $this->assertNull(Overdue::of($service, $act));
        $this->assertNotContains($job, FailedJob::$table);
    }

    public static function overtaken(): array
    {
        return [['create', 'cancelled'], ['suspend', 'active'], ['suspend', 'cancelled'], ['unsuspend', 'suspended'], ['unsuspend', 'cancelled'],
            ['upgrade', 'cancelled'], ['owner', 'cancelled'], ['terminate', 'active'], ['terminate', 'suspended']];
    }

    public function test_an_order_waits_while_its_service_is_suspended(): void
    {
        $service = $this->failed($this->service(), 'create', Service::STATUS_SUSPENDED);
        $this->assertSame(0, $this->retry());
        $this->assertNotNull(Overdue::of($service, 'create'));
    }

    public function test_what_fails_again_is_counted_and_has_its_pause(): void
    {
        $service = $this->failed($this->service(['plan' => 'Monthly']), 'create');
        $this->assertSame([1, 0], [$this->retry(), $this->retry()]);
        $this->assertSame(1, Overdue::of($service, 'create')->tries);
        $this->assertStringContainsString('basic, standard, premium', Overdue::of($service, 'create')->reason);
    }

    public function test_a_backend_that_is_away_is_asked_for_one_of_them_only(): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => 'http://127.0.0.1:9']);
        $first = $this->failed($this->service(), 'suspend', Service::STATUS_SUSPENDED);
        $second = $this->failed($this->service(), 'suspend', Service::STATUS_SUSPENDED);
        $this->assertSame(1, $this->retry());
        $this->assertSame([1, 0], [Overdue::of($first, 'suspend')->tries, Overdue::of($second, 'suspend')->tries]);
    }

    public function test_a_new_address_and_a_new_owner_reach_the_backend_within_the_next_run(): void
    {
        $service = $this->shared();
        $jane = new User(1);
        [$jane->services, $jane->changed] = [[$service], ['first_name']];
        Event::dispatch(new UserUpdated($jane));
        $this->assertNull(Overdue::of($service, 'owner'));
        $jane->changed = ['email'];
        Event::dispatch(new UserUpdated($jane));
        $this->assertTrue(Overdue::of($service, 'owner')->isDue());
        $was = $service->user;
        $service->user = (object) (['id' => 2, 'email' => 'new.owner@example.com'] + (array) $was);
        Property::$services = [$service];
        $this->assertSame([1, 0], [$this->retry(), $this->retry()]);
        $this->assertSame('new.owner@example.com', $this->status($service)['email']);

        $service->user = $was;
        $service->changed = ['user_id'];
        Event::dispatch(new ServiceUpdated($service));
        $service->changed = [];
        $this->retry();
        $this->assertSame($was->email, $this->status($service)['email']);
        $this->assertSame([], NotificationHelper::$sent); // nothing had failed
    }

    public function test_a_new_owner_of_what_is_no_site_is_told_to_nobody(): void
    {
        $service = $this->service();
        foreach ([Service::STATUS_PENDING => false, Service::STATUS_CANCELLED => false, Service::STATUS_ACTIVE => true] as $status => $isNoted) {
            [$service->status, $service->changed] = [$status, ['user_id']];
            Event::dispatch(new ServiceUpdated($service));
            $this->assertSame($isNoted, Overdue::of($service, 'owner') !== null, $status);
        }
        Property::$services = [$service];
        $this->retry();
        $this->assertNull(Overdue::of($service, 'owner'));
    }

    public function test_services_of_other_extensions_are_let_be(): void
    {
        $service = $this->failed($this->service(), 'suspend', Service::STATUS_ACTIVE);
        foreach ([(object) ['id' => 2, 'extension' => 'SSupport'], null] as $server) {
            $service->product->server = $server;
            $this->retry();
            $this->assertNotNull(Overdue::of($service, 'suspend'));
        }
    }
}
