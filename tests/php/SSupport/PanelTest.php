<?php

namespace Tests\SSupport;

use App\Helpers\ExtensionHelper;
use App\Models\Service;
use Illuminate\Auth\Access\AuthorizationException;
use Livewire\Component;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\SSupport\Api\ApiException;
use Paymenter\Extensions\Servers\SSupport\Livewire\Panel;
use Paymenter\Extensions\Servers\SSupport\SSupport;
use PHPUnit\Framework\TestCase;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\Log;
use Tests\Support\OddServer;

class PanelTest extends TestCase
{
    private Service $service;

    protected function setUp(): void
    {
        Log::clear();
        Laravel::start();
        Component::$allowed = true;
        $extension = HooksTest::extensionAt(Demo::url());
        $extension->boot();
        ExtensionHelper::$server = $extension;
        $this->service = new Service(random_int(1_000_000, 2_000_000_000));
    }

    protected function tearDown(): void
    {
        ExtensionHelper::$server = null;
        Laravel::stop();
    }

    private function panel(): Panel
    {
        $panel = new Panel;
        $panel->service = $this->service;
        $panel->mount();

        return $panel;
    }

    private function html(Panel $panel): string
    {
        return $panel->render()->with(get_object_vars($panel))->render();
    }

    private function order(): string
    {
        return ExtensionHelper::$server->createServer($this->service, [], [])['support_key'];
    }

    public function test_a_new_key_takes_the_place_of_the_one_that_is_seen(): void
    {
        $old = $this->order();
        $panel = $this->panel();
        $panel->load();
        $this->assertStringContainsString('rotate(', $this->html($panel));
        $panel->rotate($old);
        $new = ExtensionHelper::$server->supportKey($this->service, [], [])['support_key'];
        $this->assertNotSame($old, $new);
        $this->assertSame($new, $this->service->properties()->rows['support_key']['value']);
        $this->assertStringContainsString($new, $this->html($panel));
        $panel->rotate($old); // a second click
        $this->assertSame($new, ExtensionHelper::$server->supportKey($this->service, [], [])['support_key']);
        $this->assertSame([['You have a new support key. The old one is not valid any more.', 'success'],
            ['The key was replaced in the meantime. This is the new one.', 'error']], $panel->toasts);
        ExtensionHelper::$server = HooksTest::extensionAt(OddServer::way('html'));
        $panel->rotate($new);
        $this->assertSame('error', end($panel->toasts)[1]);
        Component::$allowed = false;
        $this->expectException(AuthorizationException::class);
        $panel->rotate($new);
    }

    public function test_the_way_to_the_portal_is_shown_where_there_is_one(): void
    {
        $this->order();
        foreach (['https://help.example.com' => true, '' => false, 'javascript:alert(1)' => false] as $url => $isShown) {
            ExtensionHelper::$server = new SSupport(['api_base' => Demo::url(), 'api_key' => Demo::token(), 'portal_url' => $url]);
            $panel = $this->panel();
            $panel->load();
            $this->assertSame($isShown, str_contains($this->html($panel), 'Ask for help'), $url);
        }
    }

    public function test_boot_registers_the_component_that_the_tab_holds(): void
    {
        $this->assertSame(Panel::class, Livewire::$components['ssupport.panel']);
        $view = ExtensionHelper::$server->getView($this->service, [], [], 'support');
        $this->assertStringContainsString('<livewire:ssupport.panel', file_get_contents($view->getPath()));
        $actions = ExtensionHelper::$server->getActions($this->service, [], []);
        $this->assertSame([['type' => 'view', 'name' => 'support', 'label' => 'Support']], $actions);
    }

    public function test_the_first_render_asks_nothing_of_the_backend(): void
    {
        ExtensionHelper::$server = HooksTest::extensionAt(OddServer::way('hang'));
        $begun = microtime(true);
        $html = $this->html($this->panel());
        $this->assertLessThan(1, microtime(true) - $begun);
        $this->assertStringContainsString('wire:init="load"', $html);
        $this->assertStringContainsString('Asking for your support key', $html);
    }

    public function test_then_it_shows_key_status_and_email_escaped(): void
    {
        $key = $this->order();
        $panel = $this->panel();
        $panel->load();
        $html = $this->html($panel);
        $this->assertStringContainsString("value=\"$key\"", $html);
        $this->assertStringContainsString('Active', $html);
        $this->assertStringContainsString('jane.doe@example.com', $html);
        $this->assertSame([], Log::$reported);
    }

    public function test_a_key_that_is_not_valid_is_not_offered(): void
    {
        $key = $this->order();
        foreach (['suspendServer' => 'Your support is suspended', 'terminateServer' => 'Your support has ended'] as $hook => $sentence) {
            ExtensionHelper::$server->$hook($this->service, [], []);
            $panel = $this->panel();
            $panel->load();
            $html = $this->html($panel);
            $this->assertStringContainsString($sentence, $html);
            $this->assertStringNotContainsString($key, $html);
            $this->assertStringNotContainsString('Give this key', $html);
        }
    }

    public function test_a_failed_order_reads_as_failed(): void
    {
        $this->service->user->last_name = str_repeat('x', 256);
        try {
            $this->order();
            $this->fail('it was taken');
        } catch (ApiException) {
            $panel = $this->panel();
            $panel->load();
            $this->assertStringContainsString('could not be made', $this->html($panel));
        }
        $this->service->user->last_name = 'x';
        $key = $this->order();
        $panel->load();
        $this->assertStringContainsString($key, $this->html($panel));
    }

    public function test_while_the_backend_is_away_the_stored_key_is_shown_and_the_reason_logged(): void
    {
        $key = $this->order();
        ExtensionHelper::$server = HooksTest::extensionAt('http://127.0.0.1:9');
        $panel = $this->panel();
        $panel->load();
        $html = $this->html($panel);
        $this->assertStringContainsString("value=\"$key\"", $html);
        $this->assertStringContainsString('cannot be asked at the moment', $html);
        $this->assertStringContainsString('Try again', $html);
        $this->assertCount(1, Log::$reported);
    }

    public function test_before_the_queue_has_come_to_the_order_it_asks_for_patience(): void
    {
        $panel = $this->panel();
        $panel->load();
        $this->assertStringContainsString('is being made', $this->html($panel));
        $this->assertSame([], Log::$reported);
    }

    public function test_a_key_that_has_vanished_is_a_matter_for_staff(): void
    {
        $this->service->properties()->updateOrCreate(['key' => 'support_key'], ['name' => '', 'value' => 'SUP-<i>']);
        $panel = $this->panel();
        $panel->load();
        $html = $this->html($panel);
        $this->assertStringContainsString('SUP-&lt;i&gt;', $html);
        $this->assertCount(1, Log::$reported);
    }

    public function test_a_product_without_a_server_breaks_nothing(): void
    {
        ExtensionHelper::$server = null;
        $panel = $this->panel();
        $panel->load();
        $this->assertStringContainsString('cannot be asked at the moment', $this->html($panel));
    }

    public function test_who_may_not_see_the_service_gets_nothing(): void
    {
        $panel = $this->panel();
        Component::$allowed = false;
        $this->expectException(AuthorizationException::class);
        $panel->load();
    }
}
