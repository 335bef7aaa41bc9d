<?php

namespace Paymenter\Extensions\Others\DNS;

use App\Attributes\ExtensionMeta;
use App\Classes\Extension\Extension;
use App\Models\Extension as Row;
use Filament\Notifications\Notification;
use Illuminate\Support\Facades\App;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Config;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Lang;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\View;
use Livewire\Livewire;
use Paymenter\Extensions\Others\DNS\Api\ConnectionTest;
use Paymenter\Extensions\Others\DNS\Api\Secrets;
use Paymenter\Extensions\Others\DNS\Livewire\FilePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonesPage;
use Throwable;

/**
 * Customers' own DNS zones: pages under /dns, kept by NodePoint.
 */
#[ExtensionMeta(
    name: 'DNS',
    description: 'Customers run the DNS zones of their own domains.',
    version: '2.0.0',
    author: 'NodePoint',
)]
class DNS extends Extension
{
    /** Whatever goes wrong here must not take Paymenter's pages with it. */
    public function boot()
    {
        try {
            $this->readEnvironment();
            View::addNamespace('dns', __DIR__.'/resources/views');
            Lang::addNamespace('dns', __DIR__.'/resources/lang');
            Livewire::component('dns.zones', ZonesPage::class);
            Livewire::component('dns.zone', ZonePage::class);
            Livewire::component('dns.file', FilePage::class);
            require __DIR__.'/routes/web.php';
            Event::listen('navigation.dashboard', self::navigation(...));
        } catch (Throwable $e) {
            report($e);
        }
    }

    /**
     * The entry in the side bar; none while the routes are cached from before this extension was enabled, for an entry without
     * its route would break every page.
     *
     * @return array<string, mixed>|null
     */
    public static function navigation(): ?array
    {
        return ! Route::has('dns.zones') ? null : [
            'name' => __('dns::dns.title'),
            'route' => 'dns.zones',
            'icon' => 'ri-global',
            'priority' => 25,
            'condition' => Auth::check(),
        ];
    }

    /**
     * @param  array  $values
     * @return array
     */
    public function getConfig($values = [])
    {
        $this->readEnvironment();

        return [
            [
                'name' => 'base_url',
                'label' => 'Backend API base URL',
                'type' => 'text',
                'required' => true,
                'default' => Settings::withoutPath(Config::get('dns.backend_url')),
                'placeholder' => 'https://nodepoint.example.com',
                'description' => 'Where NodePoint answers. /customdomain at the end is left out.',
                'validation' => 'url:http,https',
            ],
            [
                'name' => 'api_key',
                'label' => 'API key',
                'type' => 'password',
                'required' => true,
                'encrypted' => true,
                'description' => 'A token with the scope "dns": manage.py create_token Paymenter --scopes dns',
            ],
            [
                'name' => 'proxy_address',
                'label' => 'Address of the proxy',
                'type' => 'text',
                'required' => true,
                'placeholder' => '203.0.113.10',
                'description' => 'PROXY_IP of NodePoint. Customers read and write it as PROXYSRV.',
                'validation' => 'ipv4',
            ],
            [
                'name' => 'nameservers',
                'label' => 'Name servers',
                'type' => 'text',
                'placeholder' => 'ns1.example.com, ns2.example.com',
                'description' => 'NAMESERVERS of NodePoint: what customers have to set at their registrar before they add a domain.',
            ],
        ];
    }

    /** Called when the settings have been saved. This kind of extension has no button "Test Connection", so it is told here. */
    public function updated($row)
    {
        Secrets::protect($row, $this->getConfig());
        $result = (new self($row->settings()->get()->pluck('value', 'key')->toArray()))->testConfig();
        $note = Notification::make()->title($result === true ? 'The backend can be reached.' : $result);
        ($result === true ? $note->success() : $note->danger())->send();
    }

    /** True, or a sentence that names what is wrong: the address, the key or its scope. */
    public function testConfig(): bool|string
    {
        $settings = $this->settings();

        return ConnectionTest::run($settings->base, $settings->token, 'dns');
    }

    public function settings(): Settings
    {
        return new Settings(
            $this->config('base_url') ?: Config::get('dns.backend_url'),
            $this->config('api_key'),
            $this->config('proxy_address'),
            $this->config('nameservers'),
        );
    }

    /**
     * The settings of the enabled extension. Null while it is disabled or not installed, which a page can meet where routes are
     * cached.
     */
    public static function current(): ?Settings
    {
        $row = Row::where('type', 'other')->where('extension', 'DNS')->where('enabled', true)->first();

        return $row === null ? null : (new self($row->settings->pluck('value', 'key')->toArray()))->settings();
    }

    /** As Laravel's own packages do it: a cached configuration holds it already. */
    private function readEnvironment(): void
    {
        if (! App::configurationIsCached()) {
            Config::set('dns', Config::get('dns', []) + require __DIR__.'/config/dns.php');
        }
    }
}
