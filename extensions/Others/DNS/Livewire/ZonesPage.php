<?php

namespace Paymenter\Extensions\Others\DNS\Livewire;

use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\View;
use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Zone;
use Paymenter\Extensions\Others\DNS\Zones;

/**
 * All zones of the customer, and a form for another one.
 */
class ZonesPage extends Page
{
    public string $domain = '';

    public function add(): void
    {
        $add = fn (Zones $zones) => $zones->add($this->domain, (string) Auth::user()->email);
        if ($this->attempt($add, __('dns::dns.zone_added'))) {
            $this->domain = '';
        }
    }

    public function delete(string $zone): void
    {
        $this->attempt(fn (Zones $zones) => $zones->delete($zone), __('dns::dns.zone_deleted'));
    }

    public function render()
    {
        $zones = [];
        $error = null;
        try {
            $zones = $this->loaded ? $this->zones()->all() : [];
        } catch (ApiException $e) {
            $error = $this->sentence($e);
        }
        $changing = array_filter($zones, fn (Zone $zone) => $zone->isChanging());

        return View::make('dns::zones', [
            'zones' => $zones,
            'error' => $error,
            'nameservers' => $this->settings()->nameservers ?: ($zones[0] ?? null)?->nameservers ?? [],
            'watching' => $this->jobs !== [] || $changing !== [],
        ])->layoutData(['title' => __('dns::dns.title'), 'sidebar' => true]);
    }
}
