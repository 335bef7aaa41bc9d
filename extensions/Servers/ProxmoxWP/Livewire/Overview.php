<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Overview as OverviewPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;

/**
 * How the site is, with the buttons for its power.
 */
class Overview extends Part
{
    public function power(string $verb): void
    {
        $this->act(fn (OverviewPanel $panel) => $panel->power($verb), $verb);
    }

    public function toggle(bool $enabled): void
    {
        $this->act(fn (OverviewPanel $panel) => $panel->toggle($enabled), $enabled ? 'on' : 'off');
    }

    /** @param  bool  $discardBackups  true only as the answer to the question about them */
    public function resetSite(bool $discardBackups = false): void
    {
        $reset = fn (OverviewPanel $panel) => $panel->reset($discardBackups);
        $this->act($reset, 'reset', $this->askAboutBackups('initial'));
    }

    protected function name(): string
    {
        return 'overview';
    }

    protected function panel(Backend $backend): Panel
    {
        return new OverviewPanel($backend);
    }
}
