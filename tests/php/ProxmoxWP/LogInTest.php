<?php

namespace Tests\ProxmoxWP;

use App\Helpers\ExtensionHelper;
use App\Http\Middleware\MustVerfiyEmail;
use App\Models\Service;
use Illuminate\Auth\Access\AuthorizationException;
use Livewire\Component;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\LogIn;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Overview;
use Tests\Support\Laravel;
use Tests\Support\Log;
use Tests\Support\OddServer;

/** The page behind the button "Log in to WordPress". */
class LogInTest extends Sites
{
    private const AWAY = 'This is not available at the moment. Please try again later.';

    private function page(Service $service): LogIn
    {
        $page = new LogIn;
        $page->mount($service);

        return $page;
    }

    private function html(LogIn $page): string
    {
        return $page->render()->with(get_object_vars($page))->render();
    }

    public function test_the_button_opens_a_tab_and_names_no_link_into_wordpress(): void
    {
        $service = $this->service();
        [$button] = $this->call('getActions', $service);
        $this->assertSame(['button', '_blank', "http://paymenter.test/services/$service->id/wordpress"],
            [$button['type'], $button['target'], $button['url']]);
    }

    public function test_the_route_asks_for_a_verified_customer_who_owns_the_service(): void
    {
        $route = Laravel::$router->getRoutes()->getByName('proxmoxwp.log-in');
        $this->assertSame(['web', 'auth', MustVerfiyEmail::class, 'can:view,service'], $route->middleware());
        $this->assertSame(['GET', 'HEAD'], $route->methods());
    }

    public function test_opening_the_page_asks_nothing_and_shows_at_once_that_something_goes_on(): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('hang')]);
        $began = microtime(true);
        $html = $this->html($this->page($this->service()));
        $this->assertLessThan(1, microtime(true) - $began);
        $this->assertStringContainsString('wire:init="enter"', $html);
        $this->assertStringContainsString('Opening WordPress', $html);
        $this->assertStringContainsString('role="status"', $html);
    }

    public function test_then_it_leads_to_a_one_time_link_which_it_does_not_keep(): void
    {
        $service = $this->shared();
        $page = $this->page($service);
        $page->enter();
        $first = $page->redirected;
        $this->assertStringStartsWith((new Overview($this->backend($service)))->read()['url'], (string) $first, (string) $page->trouble);
        $page->redirected = null;
        $this->assertStringNotContainsString($first, json_encode(get_object_vars($page)).$this->html($page));
        $page->enter();
        $this->assertNotSame($first, $page->redirected);
        $this->assertSame([[], []], [Log::$reported, Log::$lines]);
    }

    public function test_a_suspended_service_says_so(): void
    {
        $service = $this->shared();
        $this->call('suspendServer', $service);
        $page = $this->page($service);
        $page->enter();
        $this->assertSame([null, 'This service is suspended.'], [$page->redirected, $page->trouble]);
        $html = $this->html($page);
        $this->assertStringContainsString('role="alert"', $html);
        $this->assertStringContainsString("http://paymenter.test/services/$service->id\"", $html);
        $service->status = Service::STATUS_SUSPENDED; // Paymenter's word counts too, also where its suspension failed
        $page->enter();
        $this->assertSame('This service is not active at the moment.', $page->trouble);
        $service->status = Service::STATUS_ACTIVE;
        $this->call('unsuspendServer', $service);
    }

    public function test_a_link_that_a_browser_would_run_is_none(): void
    {
        ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way('wrong')]);
        $page = $this->page($this->service());
        $page->enter();
        $this->assertSame([null, self::AWAY], [$page->redirected, $page->trouble]);
    }

    public function test_the_operators_troubles_are_not_the_customers(): void
    {
        foreach (['wrong key' => ['api_key' => 'wrong'], 'no address' => ['api_base' => ''], 'nobody there' => ['api_base' => 'http://127.0.0.1:9'],
            'nonsense' => ['api_base' => OddServer::way('html')]] as $what => $config) {
            Log::clear();
            ExtensionHelper::$server = $this->extension($config);
            $page = $this->page($this->service());
            $page->enter();
            $this->assertSame(self::AWAY, $page->trouble, $what);
            $this->assertCount(1, Log::$reported, $what);
        }
    }

    public function test_strangers_get_nothing(): void
    {
        $page = $this->page($this->service());
        Component::$allowed = false;
        foreach ([fn () => $page->enter(), fn () => $this->page($this->service())] as $act) {
            $this->assertInstanceOf(AuthorizationException::class, $this->failure($act));
        }
    }

    public function test_a_failed_order_offers_no_login(): void
    {
        $service = $this->service(['plan' => 'Monthly']);
        $this->failure(fn () => $this->call('createServer', $service));
        $this->assertSame(['view'], array_values(array_unique(array_column($this->call('getActions', $service), 'type'))));
    }
}
