<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use App\Helpers\ExtensionHelper;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Domains as DomainsPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;

/**
 * The customer's own domains.
 */
class Domains extends Part
{
    /** What is typed into the form. */
    public string $domain = '';

    /** Where a domain's A record must lead. */
    #[Locked]
    public string $address = '';

    public function mount(): void
    {
        parent::mount();
        $this->address = (string) ExtensionHelper::callService($this->service, 'publicIp');
    }

    public function add(): void
    {
        $this->resetErrorBag();
        $intoTheForm = function (ApiException $e): bool {
            if (in_array($e->status, [400, 409], true)) {
                // Too long for a toast, and to be read while the DNS is put right.
                $this->addError('domain', $e->getMessage());
            }

            return $this->getErrorBag()->has('domain');
        };
        if ($this->act(fn (DomainsPanel $panel) => $panel->add($this->domain), 'domain_added', $intoTheForm)) {
            $this->domain = '';
        }
    }

    public function choose(string $domain): void
    {
        $this->act(fn (DomainsPanel $panel) => $panel->choose($domain), 'domain_chosen');
    }

    public function remove(string $domain): void
    {
        $this->act(fn (DomainsPanel $panel) => $panel->remove($domain), 'domain_removed');
    }

    protected function name(): string
    {
        return 'domains';
    }

    protected function panel(Backend $backend): Panel
    {
        return new DomainsPanel($backend);
    }
}
