<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Tools as ToolsPanel;

/**
 * WordPress inside the site.
 */
class Tools extends Part
{
    /** What is typed into the forms. */
    public string $uploadMb = '';

    public string $memoryMb = '';

    public string $from = '';

    public string $to = '';

    /** What a replacement would change, and of which names. */
    #[Locked]
    public ?array $counted = null;

    public function load(): void
    {
        parent::load();
        $this->uploadMb = (string) ($this->data['options']['upload_mb'] ?? '');
        $this->memoryMb = (string) ($this->data['options']['memory_mb'] ?? '');
        $this->from = $this->from ?: ($this->data['offers'][0]['from'] ?? '');
        $this->to = $this->to ?: ($this->data['offers'][0]['to'] ?? '');
    }

    public function safeMode(bool $enabled): void
    {
        $this->act(fn (ToolsPanel $panel) => $panel->safeMode($enabled), $enabled ? 'safe_mode_on' : 'safe_mode_off');
    }

    /** @param  string  $option  xmlrpc or cache */
    public function turn(string $option, bool $enabled): void
    {
        $this->act(fn (ToolsPanel $panel) => $panel->set([$option => $enabled]), 'options');
    }

    public function save(): void
    {
        $this->resetErrorBag();
        $wanted = ['upload_mb' => (int) $this->uploadMb, 'memory_mb' => (int) $this->memoryMb];
        $this->act(fn (ToolsPanel $panel) => $panel->set($wanted), 'options', $this->intoTheForm('options'));
    }

    public function countAddresses(): void
    {
        $this->resetErrorBag();
        $this->counted = null;
        $names = ['from' => $this->from, 'to' => $this->to];
        $count = function (ToolsPanel $panel) use ($names) {
            $found = $panel->count($names['from'], $names['to']);
            $this->counted = $found === null ? null : $found + $names;

            return null;
        };
        if ($this->act($count, 'counted', $this->intoTheForm('from')) && $this->counted === null) {
            $this->addError('from', __('proxmoxwp::panel.count_takes_long'));
        }
    }

    /** What was counted, and nothing else. */
    public function replaceAddresses(): void
    {
        $this->authorize('view', $this->service);
        if ($this->counted === null) {
            return;
        }
        [$from, $to] = [$this->counted['from'], $this->counted['to']];
        if ($this->act(fn (ToolsPanel $panel) => $panel->replace($from, $to), 'replaced', $this->intoTheForm('from'))) {
            $this->counted = null;
        }
    }

    protected function name(): string
    {
        return 'tools';
    }

    protected function panel(Backend $backend): Panel
    {
        return new ToolsPanel($backend);
    }

    /** What was typed is refused beside it, where it can be read while it is corrected. */
    private function intoTheForm(string $field): callable
    {
        return function (ApiException $e) use ($field): bool {
            if ($e->is('validation')) {
                $this->addError($field, $e->getMessage());
            }

            return $e->is('validation');
        };
    }
}
