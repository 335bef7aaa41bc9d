<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use App\Attributes\ExtensionMeta;
use App\Classes\Extension\Server;
use App\Exceptions\DisplayException;
use App\Models\Service;
use Illuminate\Support\Facades\Lang;
use Illuminate\Support\Facades\Log;
use Illuminate\Support\Facades\View;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ConnectionTest;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Secrets;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Backups as BackupsPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Domains as DomainsPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Overview as OverviewPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Overview;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Sentence;
use RuntimeException;
use Throwable;

/**
 * WordPress sites, made and kept by NodePoint.
 *
 * Only an exception tells Paymenter that a hook failed, so every hook throws (ApiException or
 * RuntimeException, with one plain sentence) and ends within 30 s. Not final: Paymenter's upload looks for a
 * line that begins with `class`.
 */
#[ExtensionMeta(
    name: 'ProxmoxWP',
    description: 'Sells WordPress sites that NodePoint makes on Proxmox VE.',
    version: '0.0.0',
    author: 'NodePoint',
)]
class ProxmoxWP extends Server
{
    /** Views and their Livewire components, in the order of the tabs. */
    private const TABS = [
        'overview' => OverviewPart::class,
        'domains' => DomainsPart::class,
        'backups' => BackupsPart::class,
    ];

    public function getConfig($values = []): array
    {
        return [
            ['name' => 'api_base', 'type' => 'text', 'label' => 'Backend API base URL', 'required' => true,
                'validation' => 'url', 'placeholder' => 'http://192.168.1.5:8080',
                'description' => 'Where NodePoint answers, without a path.'],
            ['name' => 'api_key', 'type' => 'password', 'label' => 'API key', 'required' => true, 'encrypted' => true,
                'description' => 'Made with: manage.py create_token Paymenter --scopes sites'],
            ['name' => 'public_ip', 'type' => 'text', 'label' => 'Public IP', 'required' => true, 'validation' => 'ipv4',
                'description' => "IPv4 address of the reverse proxy, to which customers' domains lead."],
        ];
    }

    public function getProductConfig($values = []): array
    {
        return [(new Plans($this->config('api_base'), $this->config('api_key')))->field($values['plan'] ?? null)];
    }

    public function testConfig(): bool|string
    {
        return ConnectionTest::run($this->config('api_base'), $this->config('api_key'), 'sites');
    }

    /** Whatever goes wrong here must not take Paymenter's pages with it. */
    public function boot()
    {
        try {
            View::addNamespace('proxmoxwp', __DIR__.'/resources/views');
            Lang::addNamespace('proxmoxwp', __DIR__.'/resources/lang');
            foreach (self::TABS as $name => $class) {
                Livewire::component("proxmoxwp.$name", $class);
            }
        } catch (Throwable $e) {
            report($e);
        }
    }

    /** Called after the creation of a server, whose API key Paymenter has just stored in clear. */
    public function enabled($server)
    {
        Secrets::encrypt($server, $this->getConfig());
    }

    /**
     * Orders the site, which goes on in the background.
     *
     * @return array<string, mixed> variables for the mail "server created"
     */
    public function createServer(Service $service, $settings, $properties)
    {
        $site = (new Order(
            $this->backend($service),
            (string) $service->user->email,
            $this->plan($settings),
            trim((string) $this->config('public_ip')),
            (int) $service->created_at?->getTimestamp(),
        ))->place();
        foreach (['subdomain' => 'Subdomain', 'url' => 'Site', 'public_ip' => 'Public address'] as $key => $name) {
            if ($site[$key] !== '') {
                $row = ['name' => $name, 'value' => $site[$key]];
                $service->properties()->updateOrCreate(['key' => "nodepoint_$key"], $row);
            }
        }

        return $site;
    }

    public function suspendServer(Service $service, $settings, $properties)
    {
        return $this->hook('suspend', $service);
    }

    public function unsuspendServer(Service $service, $settings, $properties)
    {
        return $this->hook('unsuspend', $service);
    }

    /**
     * Has the site deleted. An order that never became a site has nothing to delete, and its cancellation
     * must not fail for ever; the log tells of it. But a site that was made, and that the backend has never
     * seen, is a matter for staff.
     */
    public function terminateServer(Service $service, $settings, $properties)
    {
        try {
            // The backend carries a deletion through, however long it takes: there is nothing to wait for.
            return $this->hook('delete', $service, headers: ['Prefer' => 'respond-async']);
        } catch (ApiException $e) {
            if (! $e->is('not_found') || ($properties['nodepoint_url'] ?? '') !== '') {
                throw $e;
            }
            Log::warning('NodePoint knows no site of this service; nothing was deleted.', ['service' => $service->id]);

            return ['status' => 'deleted'];
        }
    }

    /** By the time of this hook, product and settings are the new ones. */
    public function upgradeServer(Service $service, $settings, $properties)
    {
        return $this->hook('upgrade', $service, ['plan' => $this->plan($settings)]);
    }

    public function getActions(Service $service, $settings, $properties): array
    {
        $texts = ['plan' => $settings['plan'] ?? '', 'address' => $properties['nodepoint_url'] ?? ''];
        $actions = [];
        foreach (array_filter($texts, fn ($text) => (string) $text !== '') as $label => $text) {
            $actions[] = ['type' => 'text', 'label' => __("proxmoxwp::panel.$label"), 'text' => (string) $text];
        }
        $actions[] = ['type' => 'button', 'label' => __('proxmoxwp::panel.log_in'), 'function' => 'logIn'];
        foreach (array_keys(self::TABS) as $name) {
            $actions[] = ['type' => 'view', 'name' => $name, 'label' => __("proxmoxwp::panel.tabs.$name")];
        }

        return $actions;
    }

    /**
     * Runs on every render of Paymenter's page: the backend is asked by the component in it, after the page.
     */
    public function getView(Service $service, $settings, $properties, $view)
    {
        return View::make('proxmoxwp::tab', ['service' => $service, 'tab' => $view]);
    }

    /**
     * The button "Log in to WordPress".
     *
     * @return string address of the one-time link, to which Paymenter redirects
     *
     * @throws DisplayException shown as a toast; anything else would be an error page
     */
    public function logIn(Service $service, $settings, $properties): string
    {
        try {
            return (new Overview($this->backend($service)))->logInUrl();
        } catch (Throwable $e) {
            throw new DisplayException(Sentence::of($e), previous: $e);
        }
    }

    /**
     * For the Livewire components, through `ExtensionHelper::callService`: the site at this service's own
     * server.
     */
    public function backend(Service $service): Backend
    {
        return new Backend(new Client($this->config('api_base'), $this->config('api_key')), (string) $service->id);
    }

    /** For them, too: where this service's domains must lead. */
    public function publicIp(Service $service, $settings, $properties): string
    {
        return (string) ($properties['nodepoint_public_ip'] ?? $this->config('public_ip'));
    }

    /** @return array<string, string> what the mails about suspension and termination may use */
    private function hook(string $call, Service $service, array $fields = [], array $headers = []): array
    {
        return $this->backend($service)->insist($call, $fields, $headers);
    }

    private function plan($settings): string
    {
        $plan = trim((string) ($settings['plan'] ?? ''));

        return $plan !== '' ? $plan : throw new RuntimeException('No plan is chosen in the settings of this product.');
    }
}
