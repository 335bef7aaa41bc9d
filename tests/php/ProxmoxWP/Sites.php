<?php

namespace Tests\ProxmoxWP;

use App\Helpers\ExtensionHelper;
use App\Models\Service;
use Livewire\Component;
use PHPUnit\Framework\TestCase;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\ProxmoxWP;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\Log;
use Throwable;

/** Services and their sites at the running NodePoint. */
abstract class Sites extends TestCase
{
    protected const IP = '203.0.113.10';

    private static ?Service $shared = null;

    protected function setUp(): void
    {
        Log::clear();
        Laravel::start();
        Component::$allowed = true;
        ExtensionHelper::$server = $this->extension();
        app('cache')->clear();
        $this->extension()->boot();
        Laravel::$router->get('/services/{service}', ['uses' => fn () => ''])->name('services.show');
        Laravel::$router->getRoutes()->refreshNameLookups(); // as Laravel does once all providers have booted
    }

    protected function tearDown(): void
    {
        Laravel::stop();
        if ($this->hasFailed()) {
            self::$shared = null; // nobody knows how it was left
        }
    }

    /** @param  array<string, string>  $config  other settings than those of the running NodePoint */
    protected function extension(array $config = []): ProxmoxWP
    {
        return new ProxmoxWP($config + ['api_base' => Demo::url(), 'api_key' => Demo::token(), 'public_ip' => self::IP]);
    }

    /** A service that no other test and no earlier run has. */
    protected function service(array $settings = ['plan' => 'basic'], ?string $email = null): Service
    {
        static $last = null;
        $last = ($last ?? (int) (microtime(true) * 100)) + 1;

        return new Service($last, $email ?? "customer$last@example.com", $settings);
    }

    protected function call(string $hook, Service $service, ?ProxmoxWP $extension = null): mixed
    {
        $extension ??= $this->extension();

        return $extension->$hook($service, $service->product->settings, $service->propertiesByKey());
    }

    protected function status(Service $service): array
    {
        return Demo::client()->get('/status', ['service_id' => (string) $service->id]);
    }

    /** Waits until the site's status is this, and nothing is going on. */
    protected function until(Service $service, string $status): array
    {
        $ended = ['succeeded', 'failed', 'rolled_back', 'cancelled'];

        return Demo::until(function () use ($service, $status, $ended) {
            $site = $this->status($service);

            return $site['status'] === $status && in_array($site['job']['state'] ?? 'succeeded', $ended, true) ? $site : null;
        }, "site of $service->id is $status");
    }

    /** A service whose site is running. */
    protected function live(array $settings = ['plan' => 'basic'], ?string $email = null): Service
    {
        $service = $this->service($settings, $email);
        $this->call('createServer', $service);
        $this->until($service, 'running');

        return $service;
    }

    /** A running site of the plan basic, for tests that leave it as it was: no domain, no backup, running, traffic on. */
    protected function shared(): Service
    {
        return self::$shared ??= $this->live();
    }

    protected function backend(Service $service, ?string $base = null): Backend
    {
        return new Backend(new Client($base ?? Demo::url(), Demo::token()), (string) $service->id);
    }

    protected function failure(callable $call): Throwable
    {
        try {
            $call();
        } catch (Throwable $e) {
            $this->assertNotInstanceOf(\PHPUnit\Framework\Exception::class, $e);

            return $e;
        }
        $this->fail('It did not fail.');
    }
}
