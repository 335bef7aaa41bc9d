<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use App\Attributes\ExtensionMeta;
use App\Classes\Extension\Server;
use App\Models\Product;
use App\Models\Service;
use Illuminate\Support\Facades\Lang;
use Illuminate\Support\Facades\Log;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\View;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ConnectionTest;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Hook;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Overdue;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Owners;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Retry;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Secrets;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Staff;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Archives as ArchivesPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Backups as BackupsPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Domains as DomainsPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Export as ExportPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\LogIn;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Overview as OverviewPart;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Tools as ToolsPart;
use Throwable;

/**
 * WordPress sites, made and kept by NodePoint.
 *
 * Only an exception tells Paymenter that a hook failed, so every hook throws (ApiException, with one plain
 * sentence) and ends within 30 s. Not final: Paymenter's upload looks for a
 * line that begins with `class`.
 */
#[ExtensionMeta(
    name: 'ProxmoxWP',
    description: 'Sells WordPress sites that NodePoint makes on Proxmox VE.',
    version: '2.0.0',
    author: 'NodePoint',
)]
class ProxmoxWP extends Server
{
    /** Seconds after which an order that nothing is known of is lost. */
    private const LONGEST_IN_QUEUE = 900;

    private const LOST = 'The service is active, but its site was never ordered: the queue has lost the job.';

    /** Views and their Livewire components, in the order of the tabs. */
    private const TABS = [
        'overview' => OverviewPart::class,
        'domains' => DomainsPart::class,
        'backups' => BackupsPart::class,
        'tools' => ToolsPart::class,
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
        return [
            (new Plans($this->config('api_base'), $this->config('api_key')))->field($values['plan'] ?? null),
            ['name' => 'ask_name', 'type' => 'checkbox', 'database_type' => 'boolean', 'default' => true, 'label' => 'Ask for the name at checkout',
                'description' => 'Customers may wish a name for their site with you, or name a domain of their own.'],
        ];
    }

    /** Fields of the order form. Paymenter asks for them at each change, with what is typed so far. */
    public function getCheckoutConfig(Product $product, $values = [], $settings = []): array
    {
        $isAsked = filter_var($settings['ask_name'] ?? false, FILTER_VALIDATE_BOOLEAN);

        return $isAsked ? (new Checkout($this->config('api_base'), $this->config('api_key'), (string) $this->config('public_ip')))->fields($values) : [];
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
            Livewire::component('proxmoxwp.archives', ArchivesPart::class);
            Livewire::component('proxmoxwp.export', ExportPart::class);
            Livewire::component('proxmoxwp.log-in', LogIn::class);
            require __DIR__.'/routes/web.php';
            Retry::schedule('ProxmoxWP');
            Owners::watch('ProxmoxWP');
            Upgrades::watch();
        } catch (Throwable $e) {
            report($e);
        }
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

    /**
     * Orders the site, which goes on in the background.
     *
     * @return array<string, mixed> variables for the mail "server created"
     */
    public function createServer(Service $service, $settings, $properties)
    {
        $site = Hook::run($service, 'create', fn () => $this->order($service, $settings, $properties)->place());
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
        return Hook::run($service, 'suspend', fn () => $this->backend($service)->insist('suspend'));
    }

    public function unsuspendServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'unsuspend', fn () => $this->backend($service)->insist('unsuspend'));
    }

    /**
     * Has the site deleted. An order that never became a site has nothing to delete, and its cancellation
     * must not fail for ever; the log tells of it. But a site that was made, and that the backend has never
     * seen, is a matter for staff.
     */
    public function terminateServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'terminate', fn () => $this->delete($service, ($properties['nodepoint_url'] ?? '') !== ''));
    }

    /** By the time of this hook, product and settings are the new ones. */
    public function upgradeServer(Service $service, $settings, $properties)
    {
        return Hook::run($service, 'upgrade', fn () => $this->backend($service)->insist('upgrade', ['plan' => $this->plan($settings)]));
    }

    /**
     * Tells NodePoint whose the site is, by `Retry`, after one of both has been changed in Paymenter. An order that has not become a
     * site names its owner itself.
     */
    public function tellOwner(Service $service, $settings, $properties)
    {
        if (($properties['nodepoint_url'] ?? '') === '') {
            Overdue::settle($service, 'owner');

            return [];
        }
        $owner = ['user_id' => (string) $service->user->id, 'email' => (string) $service->user->email];

        return Hook::run($service, 'owner', fn () => $this->backend($service)->insist('owner', $owner));
    }

    public function getActions(Service $service, $settings, $properties): array
    {
        $actions = [];
        // The route is missing while routes are cached from before this extension was there.
        if (Route::has('proxmoxwp.log-in') && ! $this->orderFailed($service, $settings, $properties)) {
            $actions[] = ['type' => 'button', 'label' => __('proxmoxwp::panel.log_in'),
                'url' => route('proxmoxwp.log-in', $service->id), 'target' => '_blank'];
        }
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

    /** For them, too: the domain that the customer named when he ordered; '' for none. */
    public function wishedDomain(Service $service, $settings, $properties): string
    {
        return trim((string) ($properties[Checkout::DOMAIN] ?? ''));
    }

    /** For them, too: whether Paymenter's order of this site has failed, and nobody has repeated it yet. */
    public function orderFailed(Service $service, $settings, $properties): bool
    {
        return ($properties[Overdue::key('create')] ?? '') !== '';
    }

    /**
     * For them, too, where the backend knows no site: whether the order must have been lost on its way, as happens when the machine
     * with the queue is switched off. It is placed then by the next retry, and staff are told.
     */
    public function orderIsLost(Service $service, $settings, $properties): bool
    {
        $isNew = ($service->updated_at?->getTimestamp() ?? time()) > time() - self::LONGEST_IN_QUEUE;
        if ($isNew || $service->status !== Service::STATUS_ACTIVE || ($properties['nodepoint_url'] ?? '') !== '') {
            return false;
        }
        Overdue::wanted($service, 'create', self::LOST);
        Staff::tell($service, 'no order arrived', self::LOST, 'It is placed by itself now.');

        return true;
    }

    private function order(Service $service, $settings, $properties): Order
    {
        return new Order(
            $this->backend($service),
            (string) $service->user->email,
            (string) $service->user->id,
            $this->plan($settings),
            trim((string) $this->config('public_ip')),
            (int) $service->created_at?->getTimestamp(),
            trim((string) ($properties[Checkout::NAME] ?? '')),
        );
    }

    /** @param  bool  $wasMade  whether the service ever had a site */
    private function delete(Service $service, bool $wasMade): array
    {
        try {
            // The backend carries a deletion through, however long it takes: there is nothing to wait for.
            return $this->backend($service)->insist('delete', headers: ['Prefer' => 'respond-async']);
        } catch (ApiException $e) {
            if (! $e->is('not_found') || $wasMade) {
                throw $e;
            }
            Log::warning('NodePoint knows no site of this service; nothing was deleted.', ['service' => $service->id]);

            return ['status' => 'deleted'];
        }
    }

    private function plan($settings): string
    {
        $plan = trim((string) ($settings['plan'] ?? ''));

        return $plan !== '' ? $plan : throw new ApiException('No plan is chosen in the settings of this product.', 'settings');
    }
}
