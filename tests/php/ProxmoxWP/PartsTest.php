<?php

namespace Tests\ProxmoxWP;

use App\Helpers\ExtensionHelper;
use App\Models\Property;
use App\Models\Service;
use Illuminate\Auth\Access\AuthorizationException;
use Illuminate\Support\Carbon;
use Livewire\Component;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Overdue;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Retry;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Backups;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Domains;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Overview;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Part;
use ReflectionClass;
use ReflectionMethod;
use Tests\Support\Demo;
use Tests\Support\OddServer;

/** The Livewire components, called as a browser's requests call them. */
class PartsTest extends Parts
{
    /** @return array<string, class-string<Part>> */
    private function parts(): array
    {
        return array_filter(Livewire::$components, fn (string $class) => is_subclass_of($class, Part::class));
    }

    public function test_the_first_render_asks_nothing_of_the_backend(): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('hang')]);
        $service = $this->service();
        $began = microtime(true);
        $this->call('getActions', $service, ExtensionHelper::$server);
        foreach ($this->parts() as $class) {
            $html = (string) $this->part($class, $service)->render()->with($this->state($class, $service));
            $this->assertStringContainsString('wire:init="load"', $html);
            $this->assertStringContainsString('One moment', $html);
            $this->assertStringNotContainsString('wire:poll', $html);
        }
        $this->assertLessThan(1, microtime(true) - $began);
    }

    /** The public properties, which Livewire hands to the view. */
    private function state(string $class, Service $service): array
    {
        return get_object_vars($this->part($class, $service));
    }

    public function test_every_action_asks_first_whether_the_user_may_see_the_service(): void
    {
        $service = $this->service();
        $asked = 0;
        foreach ($this->parts() as $class) {
            foreach ((new ReflectionClass($class))->getMethods(ReflectionMethod::IS_PUBLIC) as $method) {
                if (! str_starts_with($method->class, 'Paymenter') || $method->name === 'render') {
                    continue;
                }
                Component::$allowed = true;
                $part = $this->part($class, $service);
                Component::$allowed = false;
                $values = ['string' => 'start', 'bool' => true];
                $arguments = array_map(fn ($one) => $values[(string) $one->getType()], $method->getParameters());
                $e = $this->failure(fn () => $method->invokeArgs($part, $arguments));
                $this->assertInstanceOf(AuthorizationException::class, $e, "$class::$method->name");
                $asked++;
            }
        }
        $this->assertGreaterThan(15, $asked);
    }

    public function test_every_action_that_a_view_names_is_one_that_a_browser_can_call(): void
    {
        // These names are Livewire's own in the browser, and never reach the component.
        $taken = ['on', 'el', 'id', 'js', 'get', 'set', 'refs', 'call', 'hook', 'watch', 'dirty', 'effect', 'commit', 'errors', 'island',
            'upload', 'entangle', 'dispatch', 'intercept'];
        $views = dirname((new ReflectionClass($this->extension()))->getFileName()).'/resources/views';
        foreach ($this->parts() as $name => $class) {
            $text = file_get_contents("$views/".substr($name, strlen('proxmoxwp.')).'.blade.php').file_get_contents("$views/state.blade.php");
            preg_match_all('/wire:(?:click|submit|init|poll[.\w]*)="(\w+)|\'anyway\' => \'(\w+)/', $text, $found);
            $actions = array_unique(array_filter([...$found[1], ...$found[2]]));
            $this->assertGreaterThan(3, count($actions));
            foreach ($actions as $action) {
                $this->assertTrue((new ReflectionMethod($class, $action))->isPublic(), "$class::$action");
                $this->assertNotContains($action, $taken);
                $this->assertFalse(property_exists($class, $action), 'A property of that name would be taken for it.');
            }
        }
    }

    public function test_an_act_is_told_at_its_begin_and_at_its_end(): void
    {
        $service = $this->shared();
        Demo::lab('/_lab/speed', ['factor' => 0.1]);
        try {
            $part = $this->part(Backups::class, $service);
            $part->load();
            $part->create();
            $this->assertSame([['The backup has begun.', 'success']], $part->toasts);
            $this->assertTrue($part->job['running']);
            $this->assertTrue($part->render()->getData()['busy']);
        } finally {
            Demo::lab('/_lab/speed', ['factor' => 0]);
        }
        $this->followed($part);
        $this->assertSame(['The backup is made.', 'success'], end($part->toasts));
        $this->assertFalse($part->render()->getData()['busy']);
        $this->assertSame(1, $part->data['used']);
        $part->delete($part->data['backups'][0]['name']);
        $this->followed($part);
        $this->assertSame(0, $part->data['used']);
    }

    public function test_a_job_that_fails_is_told_as_well(): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('failing')]);
        $part = $this->part(Backups::class, $this->service());
        $part->create();
        $this->assertTrue($part->job['running']);
        $part->poll();
        $this->assertSame([['The backup has begun.', 'success'], ['The storage is full.', 'error']], $part->toasts);
        $this->assertNull($part->job);
    }

    public function test_a_refused_act_is_a_toast_and_changes_nothing(): void
    {
        $part = $this->part(Backups::class, $this->shared());
        $part->load();
        $part->delete('BAK01012020-1');
        $this->assertSame([['There is no backup called BAK01012020-1.', 'error']], $part->toasts);
        $this->assertNull($part->job);
    }

    public function test_power_and_toggle(): void
    {
        $service = $this->shared();
        $part = $this->part(Overview::class, $service);
        $part->power('stop');
        $this->followed($part);
        $this->assertSame('stopped', $part->data['status']);
        $part->toggle(false);
        $this->followed($part);
        $this->assertFalse($part->data['enabled']);
        $part->power('explode');
        $this->assertSame(['This is not available at the moment. Please try again later.', 'error'], end($part->toasts));
        $this->assertSame('stopped', $this->status($service)['status']);
        $part->toggle(true);
        $this->followed($part);
        $part->power('start');
        $this->followed($part);
        $this->assertSame(['running', true], [$part->data['status'], $part->data['enabled']]);
    }

    public function test_a_reset(): void
    {
        $part = $this->part(Overview::class, $this->shared());
        $part->resetSite();
        $this->followed($part);
        $this->assertSame(['The site is as on its first day.', 'success'], end($part->toasts));
    }

    public function test_a_refused_domain_says_why_in_the_form_and_keeps_what_was_typed(): void
    {
        $service = $this->shared();
        $part = $this->part(Domains::class, $service);
        $this->assertSame(self::IP, $part->address);
        $part->domain = 'no-such-name.example.com';
        $part->add();
        $this->assertSame([], $part->toasts);
        $this->assertStringContainsString('no-such-name.example.com', $part->getErrorBag()->first('domain'));
        $this->assertSame('no-such-name.example.com', $part->domain);

        $name = "blog{$service->id}.example.com";
        Demo::lab('/_lab/dns', ['name' => $name, 'type' => 'A', 'values' => [self::IP]]);
        $part->domain = $name;
        $part->add();
        $this->assertFalse($part->getErrorBag()->has('domain'));
        $this->assertSame('', $part->domain);
        $this->followed($part);
        $this->assertSame($name, $part->data['domains'][0]['name']);
        $part->remove($name);
        $this->followed($part);
        $this->assertSame([], $part->data['domains']);
    }

    public function test_a_domain_behind_a_cdn_is_shown_to_be_the_customers_by_a_record(): void
    {
        $service = $this->shared();
        $name = "cdn{$service->id}.example.com";
        Demo::lab('/_lab/dns', ['name' => $name, 'type' => 'A', 'values' => ['198.51.100.7']]);
        $part = $this->part(Domains::class, $service);
        $part->domain = $name;
        $part->add();
        $this->assertSame([$name, "_nodepoint.$name"], [$part->proof['domain'], $part->proof['name']]);
        $part->prove();
        $this->assertTrue($part->getErrorBag()->has('domain')); // it is not there yet
        Demo::lab('/_lab/dns', ['name' => $part->proof['name'], 'type' => 'TXT', 'values' => [$part->proof['value']]]);
        $part->prove();
        $this->assertSame([null, ''], [$part->proof, $part->domain]);
        $this->followed($part);
        $this->assertSame($name, $part->data['domains'][0]['name']);
        $part->remove($name);
        $this->followed($part);
    }

    public function test_the_address_of_a_site_is_the_one_it_was_made_with(): void
    {
        $service = $this->service();
        $service->properties()->updateOrCreate(['key' => 'nodepoint_public_ip'], ['value' => '198.51.100.1']);
        $this->assertSame('198.51.100.1', $this->part(Domains::class, $service)->address);
    }

    public function test_backups_in_the_way_are_a_question_and_no_failure(): void
    {
        // The lab's plans live on storage that keeps them, so the refusal comes from a server that has none.
        foreach ([[Overview::class, 'resetSite', [], 'initial'], [Backups::class, 'rollBack', ['BAK1'], 'BAK1']] as [$class, $act, $with, $subject]) {
            ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('intheway')]);
            $part = $this->part($class, $this->service());
            $part->$act(...$with);
            $this->assertSame(['subject' => $subject, 'sentence' => 'BAK2 stands in the way.'], $part->question);
            $this->assertSame([], $part->toasts);
            $html = (string) $part->render()->with(get_object_vars($part));
            $this->assertStringContainsString('BAK2 stands in the way.', $html);
            $click = $act === 'resetSite' ? 'resetSite(true)' : "rollBack('BAK1', true)";
            $this->assertStringContainsString("wire:click=\"$click\"", html_entity_decode($html, ENT_QUOTES));
            $part->decline();
            $this->assertNull($part->question);
        }
    }

    public function test_a_backend_that_is_away_is_said_in_the_part_and_what_was_known_stays(): void
    {
        $service = $this->shared();
        $part = $this->part(Overview::class, $service);
        $part->load();
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('html')]);
        $part->poll();
        $this->assertSame('This is not available at the moment. Please try again later.', $part->trouble);
        $this->assertSame('running', $part->data['status']);
        ExtensionHelper::$server = $this->extension();
        $part->load();
        $this->assertNull($part->trouble);
    }

    public function test_a_site_that_is_not_there_yet_is_waited_for_but_not_for_ever(): void
    {
        $service = $this->service();
        $part = $this->part(Overview::class, $service);
        $part->load();
        $this->assertStringContainsString('it appears here by itself', $part->trouble);
        $this->assertTrue($part->render()->getData()['busy']);
        $part->misses = 39;
        $part->poll();
        $this->assertFalse($part->render()->getData()['busy']);
        $this->call('createServer', $service);
        $part->load();
        $this->assertSame([0, null], [$part->misses, $part->trouble]);
        $this->until($service, 'running');
    }

    public function test_a_failed_order_reads_as_failed_until_it_is_repeated(): void
    {
        $service = $this->service(['plan' => 'Monthly']);
        $this->failure(fn () => $this->call('createServer', $service));
        $part = $this->part(Overview::class, $service);
        $part->load();
        $this->assertTrue($part->orderFailed);
        $this->assertFalse($part->render()->getData()['busy']);
        $this->assertStringContainsString('could not be set up', (string) $part->render()->with(get_object_vars($part)));
        $service->product->settings = ['plan' => 'basic'];
        $this->call('createServer', $service); // staff press Retry
        $part->load();
        $this->assertSame([false, null], [$part->orderFailed, $part->trouble]);
        $this->until($service, 'running');
    }

    public function test_an_order_that_the_queue_has_lost_reads_as_failed_and_is_placed(): void
    {
        $service = $this->service();
        $service->updated_at = Carbon::now()->subMinutes(20);
        $part = $this->part(Overview::class, $service);
        $part->load();
        $this->assertTrue($part->orderFailed);
        $this->assertTrue(Overdue::of($service, 'create')->isDue());
        Property::$services = [$service];
        (new Retry('ProxmoxWP'))->run();
        Property::$services = [];
        $part->load();
        $this->assertSame([false, null], [$part->orderFailed, $part->trouble]);
        $this->until($service, 'running');
    }

    public function test_a_site_that_was_there_and_is_not_known_any_more_is_no_lost_order(): void
    {
        $service = $this->service();
        $service->updated_at = Carbon::now()->subMinutes(20);
        $service->properties()->updateOrCreate(['key' => 'nodepoint_url'], ['value' => 'https://x.nodepoint.eu']);
        $part = $this->part(Overview::class, $service);
        $part->load();
        $this->assertFalse($part->orderFailed);
        $this->assertNull(Overdue::of($service, 'create'));
    }

    public function test_a_product_without_a_server_is_no_error_page(): void
    {
        ExtensionHelper::$server = null;
        foreach ($this->parts() as $class) {
            $part = $this->part($class, $this->service());
            $part->load();
            $this->assertNotNull($part->trouble);
        }
    }
}
