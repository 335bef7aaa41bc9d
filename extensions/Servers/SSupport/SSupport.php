<?php

namespace Paymenter\Extensions\Servers\SSupport;

use App\Attributes\ExtensionMeta;
use App\Classes\Extension\Server;
use App\Models\Service;
use Illuminate\Support\Facades\Lang;
use Illuminate\Support\Facades\Log;
use Illuminate\Support\Facades\View;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\SSupport\Api\ApiException;
use Paymenter\Extensions\Servers\SSupport\Api\Client;
use Paymenter\Extensions\Servers\SSupport\Api\ConnectionTest;
use Paymenter\Extensions\Servers\SSupport\Api\Hook;
use Paymenter\Extensions\Servers\SSupport\Api\Overdue;
use Paymenter\Extensions\Servers\SSupport\Api\Owners;
use Paymenter\Extensions\Servers\SSupport\Api\Retry;
use Paymenter\Extensions\Servers\SSupport\Api\Secrets;
use Paymenter\Extensions\Servers\SSupport\Livewire\Panel;
use Throwable;

/**
 * Sells support: each service gets a key from NodePoint, which ticket systems and staff can ask about.
 *
 * Paymenter takes any return value of a hook for success, so every failure is an exception with one plain sentence.
 */
#[ExtensionMeta(
    name: 'SSupport',
    description: 'Support keys of NodePoint as a product.',
    version: '2.0.0',
    author: 'NodePoint',
)]
class SSupport extends Server
{
    /** Whatever goes wrong here must not take Paymenter's pages with it. */
    public function boot()
    {
        try {
            View::addNamespace('ssupport', __DIR__.'/resources/views');
            Lang::addNamespace('ssupport', __DIR__.'/resources/lang');
            Livewire::component('ssupport.panel', Panel::class);
            Retry::schedule('SSupport');
            Owners::watch('SSupport');
        } catch (Throwable $e) {
            report($e);
        }
    }

    /**
     * @param  array  $values
     * @return array
     */
    public function getConfig($values = [])
    {
        return [
            [
                'name' => 'api_base',
                'label' => 'Backend API base URL',
                'type' => 'text',
                'required' => true,
                'placeholder' => 'https://nodepoint.example.com',
                'description' => 'Where NodePoint answers, without a path.',
                'validation' => 'url:http,https',
            ],
            [
                'name' => 'api_key',
                'label' => 'API key',
                'type' => 'password',
                'required' => true,
                'encrypted' => true,
                'description' => 'A token with the scope "support": manage.py create_token Paymenter --scopes support',
            ],
            [
                'name' => 'portal_url',
                'label' => 'Support portal',
                'type' => 'text',
                'placeholder' => 'https://support.example.com',
                'description' => 'Where customers ask for help; their pages lead there. Left empty, to no place.',
                'validation' => 'nullable|url:http,https',
            ],
        ];
    }

    /**
     * Without this method Paymenter's product form shows an error instead of nothing.
     *
     * @param  array  $values
     * @return array
     */
    public function getProductConfig($values = [])
    {
        return [];
    }

    /** Called after the creation of a server, whose API key Paymenter has just stored and recorded in clear. */
    public function enabled($server)
    {
        Secrets::protect($server, $this->getConfig());
    }

    /** Called when its settings have been saved. */
    public function updated($server)
    {
        Secrets::protect($server, $this->getConfig());
    }

    /** True, or a sentence that names what is wrong: the address, the key or its scope. */
    public function testConfig(): bool|string
    {
        return ConnectionTest::run($this->config('api_base'), $this->config('api_key'), 'support');
    }

    /**
     * Orders the key. One that exists already is taken over, as this may be a retry; where it is not good any more, it
     * becomes so again, unless the service has been suspended since.
     *
     * @return array<string, string> variables for the mail template "new server created"
     */
    public function createServer(Service $service, $settings, $properties)
    {
        $key = Hook::run($service, 'create', fn () => $this->keys()->create($service->id, self::customer($service),
            $service->status === Service::STATUS_ACTIVE));
        $service->properties()->updateOrCreate(
            ['key' => 'support_key'],
            ['name' => 'Support key', 'value' => $key['support_key']],
        );

        return $key;
    }

    public function suspendServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'suspend', fn () => $this->keys()->change('suspend', $service->id));
    }

    public function unsuspendServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'unsuspend', fn () => $this->keys()->change('unsuspend', $service->id));
    }

    /**
     * A service that never got a key has nothing to end: its order failed, and its cancellation must not fail as well; the log
     * tells of it. One that did get a key, which the backend does not know any more, is a matter for staff.
     */
    public function terminateServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'terminate', fn () => $this->end($service, $this->storedKey($service, $settings, $properties) !== ''));
    }

    /** What a support plan brings is between operator and customer: the key stays the same under another plan. */
    public function upgradeServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'upgrade', fn () => $this->keys()->insist($service->id));
    }

    /** Tells NodePoint whose the key is, by `Retry`, after that or the address has been changed in Paymenter. */
    public function tellOwner(Service $service, $settings, $properties)
    {
        if ($this->storedKey($service, $settings, $properties) === '') {
            Overdue::settle($service, 'owner');

            return [];
        }
        $tell = fn () => $this->keys()->tellOwner($service->id, (string) $service->user->id, (string) $service->user->email);

        return Hook::run($service, 'owner', $tell);
    }

    public function getActions(Service $service, $settings, $properties): array
    {
        return [['type' => 'view', 'name' => 'support', 'label' => __('ssupport::support.title')]];
    }

    /** Holds a component only, which asks the backend after the page has been shown. */
    public function getView(Service $service, $settings, $properties, $view)
    {
        return View::make('ssupport::tab', ['service' => $service]);
    }

    /**
     * For the component, which comes here by `ExtensionHelper::callService` so that it works with this server's settings.
     *
     * @return array{support_key: string, status: string, email: string}
     *
     * @throws ApiException
     */
    public function supportKey(Service $service, $settings, $properties): array
    {
        return $this->keys()->find($service->id);
    }

    /** The same way: a new key in the place of this one. */
    public function rotateKey(Service $service, $settings, $properties, string $key): string
    {
        $made = $this->keys()->rotate($service->id, $key);
        $service->properties()->updateOrCreate(['key' => 'support_key'], ['name' => 'Support key', 'value' => $made['support_key']]);

        return $made['support_key'];
    }

    /** The same way: where customers ask for support; '' where that is not set. */
    public function portal(Service $service, $settings, $properties): string
    {
        $url = trim((string) $this->config('portal_url'));

        return preg_match('~^https?://~i', $url) ? $url : '';
    }

    /** The same way: the key as it was at the order, '' before. */
    public function storedKey(Service $service, $settings, $properties): string
    {
        return (string) ($properties['support_key'] ?? '');
    }

    /** The same way: whether Paymenter's order of the key has failed, and nobody has repeated it yet. */
    public function orderFailed(Service $service, $settings, $properties): bool
    {
        return ($properties[Overdue::key('create')] ?? '') !== '';
    }

    /** @param  bool  $wasMade  whether the service ever had a key */
    private function end(Service $service, bool $wasMade): array
    {
        try {
            return $this->keys()->change('terminate', $service->id);
        } catch (ApiException $e) {
            if (! $e->is('not_found') || $wasMade) {
                throw $e;
            }
            Log::warning('NodePoint knows no support key of this service; none was ended.', ['service' => $service->id]);

            return [];
        }
    }

    private function keys(): SupportKeys
    {
        return new SupportKeys(new Client($this->config('api_base'), $this->config('api_key')));
    }

    /**
     * Paymenter may have no name for somebody; the backend wants a first one.
     *
     * @return array{email: string, firstname: string, lastname: string}
     */
    private static function customer(Service $service): array
    {
        $first = trim((string) $service->user->first_name);
        $last = trim((string) $service->user->last_name);

        return ['email' => $service->user->email, 'firstname' => $first === '' ? 'Customer' : $first, 'lastname' => $last];
    }
}
