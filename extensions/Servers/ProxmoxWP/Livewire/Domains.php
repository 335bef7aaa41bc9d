<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use App\Helpers\ExtensionHelper;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Domains as DomainsPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Field;
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

    /** The TXT record by which a customer shows that a domain is his, as the backend's refusal named it. */
    #[Locked]
    public ?array $proof = null;

    public function mount(): void
    {
        parent::mount();
        $this->address = (string) ExtensionHelper::callService($this->service, 'publicIp');
        $this->domain = (string) ExtensionHelper::callService($this->service, 'wishedDomain');
    }

    public function add(): void
    {
        $this->addBy(false);
    }

    /** The customer has set the TXT record. */
    public function prove(): void
    {
        $this->addBy(true);
    }

    private function addBy(bool $byTxt): void
    {
        $this->resetErrorBag();
        $intoTheForm = function (ApiException $e): bool {
            if (in_array($e->status, [400, 409], true)) {
                // Too long for a toast, and to be read while the DNS is put right.
                $this->addError('domain', $e->getMessage());
                $this->proof = $this->proofIn($e);
            }

            return $this->getErrorBag()->has('domain');
        };
        if ($this->act(fn (DomainsPanel $panel) => $panel->add($this->domain, $byTxt), 'domain_added', $intoTheForm)) {
            $this->domain = '';
            $this->proof = null;
        }
    }

    /** @return array{domain: string, name: string, value: string}|null */
    private function proofIn(ApiException $e): ?array
    {
        $record = Field::map($e->body, 'verification');
        [$name, $value] = [Field::text($record, 'name'), Field::text($record, 'value')];

        return $name === '' || $value === '' ? null : ['domain' => trim($this->domain), 'name' => $name, 'value' => $value];
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
