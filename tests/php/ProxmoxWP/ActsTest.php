<?php

namespace Tests\ProxmoxWP;

use App\Helpers\ExtensionHelper;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Archives;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Backups;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Domains;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Export;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Overview;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Tools;
use Tests\Support\OddServer;

/** What customers do with their site beyond its power and its backups, and what it refuses. */
class ActsTest extends Parts
{
    public function test_an_archive_is_made_and_deleted(): void
    {
        $part = $this->part(Archives::class, $this->shared());
        $part->load();
        $this->assertSame([true, 0, 'daily'], [$part->data['there'], $part->data['used'], $part->data['schedule']]);
        $part->create();
        $this->followed($part);
        $this->assertSame(['The archive is made.', 'success'], end($part->toasts));
        [$row] = $part->data['archives'];
        $this->assertSame(['ready', 'customer', 1], [$row['status'], $row['origin'], $part->data['used']]);
        $part->delete('ARC0');
        $this->assertSame('error', end($part->toasts)[1]);
        $part->delete($row['name']);
        $this->followed($part);
        $this->assertSame([], $part->data['archives']);
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('unknown')]);
        $part = $this->part(Archives::class, $this->shared());
        $part->load();
        $this->assertSame([false, null], [$part->data['there'], $part->trouble]);
    }

    public function test_a_suspended_site_refuses_every_act_with_a_sentence_and_changes_nothing(): void
    {
        $service = $this->shared();
        $this->call('suspendServer', $service);
        $this->until($service, 'suspended');
        $acts = [[Overview::class, 'power', 'start'], [Overview::class, 'toggle', false], [Overview::class, 'resetSite'], [Backups::class, 'create'],
            [Archives::class, 'create'], [Export::class, 'make'], [Domains::class, 'choose', 'a.example'], [Domains::class, 'remove', 'a.example'],
            [Tools::class, 'safeMode', true], [Tools::class, 'turn', 'cache', false], [Tools::class, 'save'], [Tools::class, 'countAddresses']];
        foreach ($acts as $act) {
            $part = $this->part($act[0], $service);
            if ($part instanceof Tools) {
                [$part->memoryMb, $part->uploadMb, $part->from, $part->to] = ['256', '64', 'a.example', 'b.example'];
            }
            $part->{$act[1]}(...array_slice($act, 2));
            $this->assertSame([['This service is suspended.', 'error']], $part->toasts, "$act[0] $act[1]");
            $this->assertNull($part->job);
        }
        $this->call('unsuspendServer', $service);
        $this->until($service, 'running');
    }

    public function test_what_a_stopped_site_cannot_do_is_said(): void
    {
        $service = $this->shared();
        $part = $this->part(Overview::class, $service);
        $part->power('stop');
        $this->followed($part);
        foreach ([[Tools::class, 'safeMode', [true]], [Export::class, 'make', []]] as [$class, $act, $with]) {
            $part = $this->part($class, $service);
            $part->$act(...$with);
            $this->assertSame('error', end($part->toasts)[1]);
            $this->assertStringContainsString('stopped', end($part->toasts)[0]);
        }
        $part = $this->part(Overview::class, $service);
        $part->power('start');
        $this->followed($part);
        $part = $this->part(Domains::class, $service);
        $part->choose('nobodys.example.com');
        $this->assertSame('error', end($part->toasts)[1]);
    }

    public function test_an_archive_to_take_along(): void
    {
        $part = $this->part(Export::class, $this->shared());
        $part->load();
        $this->assertSame([true, ''], [$part->data['there'], $part->data['url']]);
        $part->make();
        $this->followed($part);
        $this->assertStringStartsWith('https://'.$this->status($this->shared())['subdomain'].'.nodepoint.eu/', $part->data['url']);
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('unknown')]);
        $part = $this->part(Export::class, $this->shared());
        $part->load();
        $this->assertSame([false, null], [$part->data['there'], $part->trouble]);
    }

    public function test_safe_mode_options_and_addresses(): void
    {
        $service = $this->shared();
        $part = $this->part(Tools::class, $service);
        $part->load();
        $this->assertSame([false, true], [$part->data['safe_mode'], $part->data['options']['cache']]);
        $this->assertSame((string) $part->data['options']['upload_mb'], $part->uploadMb);
        foreach ([true, false] as $wish) {
            $part->safeMode($wish);
            $this->followed($part);
            $this->assertSame($wish, $part->data['safe_mode']);
            $part->turn('xmlrpc', $wish);
            $this->followed($part);
            $this->assertSame($wish, $part->data['options']['xmlrpc']);
        }
        [$part->uploadMb, $part->memoryMb] = ['200', '999999'];
        $part->save();
        $this->assertTrue($part->getErrorBag()->has('options'));
        $part->memoryMb = '300';
        $part->save();
        $this->followed($part);
        $this->assertSame([200, 300], [$part->data['options']['upload_mb'], $part->data['options']['memory_mb']]);

        $part->replaceAddresses(); // nothing was counted
        $this->assertNull($part->job);
        $part->from = $part->to = 'old.example.com';
        $part->countAddresses();
        $this->assertTrue($part->getErrorBag()->has('from'));
        $part->to = $this->status($service)['subdomain'].'.nodepoint.eu';
        $part->countAddresses();
        $this->assertSame(['old.example.com', $part->to], [$part->counted['from'], $part->counted['to']]);
        $part->replaceAddresses();
        $this->followed($part);
        $this->assertNull($part->counted);
        $this->assertSame(['The addresses are replaced.', 'success'], end($part->toasts));
    }
}
