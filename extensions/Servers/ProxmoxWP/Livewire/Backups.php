<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Backups as BackupsPanel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;

/**
 * The site's backups.
 */
class Backups extends Part
{
    public function create(): void
    {
        $this->act(fn (BackupsPanel $panel) => $panel->create(), 'backup');
    }

    public function delete(string $name): void
    {
        $this->act(fn (BackupsPanel $panel) => $panel->delete($name), 'backup_deleted');
    }

    /** @param  bool  $discardBackups  true only as the answer to the question about them */
    public function rollBack(string $name, bool $discardBackups = false): void
    {
        $rollBack = fn (BackupsPanel $panel) => $panel->rollBack($name, $discardBackups);
        $this->act($rollBack, 'rolled_back', $this->askAboutBackups($name));
    }

    protected function name(): string
    {
        return 'backups';
    }

    protected function panel(Backend $backend): Panel
    {
        return new BackupsPanel($backend);
    }
}
