<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Export as ExportPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;

/**
 * The archive that a customer can take along. Its address lets everybody have it, so it is shown to him and stands in no log.
 */
class Export extends Part
{
    public function make(): void
    {
        $this->act(fn (ExportPanel $panel) => $panel->make(), 'export');
    }

    protected function name(): string
    {
        return 'export';
    }

    protected function panel(Backend $backend): Panel
    {
        return new ExportPanel($backend);
    }
}
