<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Archives as ArchivesPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;

/**
 * The site's archives.
 */
class Archives extends Part
{
    public function create(): void
    {
        $this->act(fn (ArchivesPanel $panel) => $panel->create(), 'archive');
    }

    public function delete(string $name): void
    {
        $this->act(fn (ArchivesPanel $panel) => $panel->delete($name), 'archive_deleted');
    }

    protected function name(): string
    {
        return 'archives';
    }

    protected function panel(Backend $backend): Panel
    {
        return new ArchivesPanel($backend);
    }
}
