<?php

namespace Paymenter\Extensions\Others\DNS\Livewire;

use Illuminate\Support\Facades\View;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Zones;

/**
 * The records of one zone, and a form that adds or changes one.
 */
class ZonePage extends Page
{
    /** Its id. A zone that is another's is not found among the customer's own. */
    #[Locked]
    public string $zone;

    /** The id of the record that is being changed; empty: a new one. */
    #[Locked]
    public string $editing = '';

    public string $type = 'A';

    public string $name = '';

    public string $ttl = '3600';

    public string $content = '';

    public string $priority = '10';

    public function mount(string $zone): void
    {
        $this->zone = $zone;
    }

    public function edit(string $record): void
    {
        $this->cancel();
        try {
            $zone = $this->zones()->find($this->zone);
        } catch (ApiException $e) {
            $this->notify($this->sentence($e), 'error');

            return;
        }
        $found = $zone->record($record);
        if ($found === null || $found->isProtected($zone->name)) {
            $this->notify(__('dns::dns.no_record'), 'error');

            return;
        }
        $this->editing = $found->id;
        $this->type = $found->type;
        $this->name = $found->within($zone->name);
        $this->ttl = (string) $found->ttl;
        $this->content = $this->settings()->shown($found);
        $this->priority = (string) ($found->priority ?? 10);
    }

    public function cancel(): void
    {
        $this->reset('editing', 'type', 'name', 'ttl', 'content', 'priority');
        $this->resetErrorBag();
    }

    public function save(): void
    {
        $form = ['type' => $this->type, 'name' => $this->name, 'ttl' => $this->ttl, 'content' => $this->content,
            'priority' => $this->priority];
        $save = fn (Zones $zones) => $this->editing === ''
            ? $zones->addRecord($this->zone, $form)
            : $zones->updateRecord($this->zone, $this->editing, $form);
        if ($this->attempt($save, __('dns::dns.record_saved'))) {
            $this->cancel();
        }
    }

    public function deleteRecord(string $record): void
    {
        $this->attempt(fn (Zones $zones) => $zones->deleteRecord($this->zone, $record), __('dns::dns.record_deleted'));
    }

    public function deleteZone(): void
    {
        $delete = fn (Zones $zones) => $zones->delete($this->zone);
        if ($this->attempt($delete, __('dns::dns.zone_deleted'), leaving: true)) {
            $this->redirect(route('dns.zones'), navigate: true);
        }
    }

    public function render()
    {
        $zone = null;
        $error = null;
        try {
            $zone = $this->loaded ? $this->zones()->find($this->zone) : null;
        } catch (ApiException $e) {
            $error = $this->sentence($e);
        }

        return View::make('dns::zone', [
            'found' => $zone,
            'error' => $error,
            'settings' => $this->settings(),
            'watching' => $this->jobs !== [] || $zone?->isChanging(),
        ])->layoutData(['title' => $zone === null ? __('dns::dns.title') : $zone->name, 'sidebar' => true]);
    }
}
