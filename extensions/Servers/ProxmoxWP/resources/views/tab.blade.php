@if ($tab === 'domains')
    <livewire:proxmoxwp.domains :service="$service" :key="'proxmoxwp-domains-'.$service->id" />
@elseif ($tab === 'tools')
    <livewire:proxmoxwp.tools :service="$service" :key="'proxmoxwp-tools-'.$service->id" />
@elseif ($tab === 'backups')
    <livewire:proxmoxwp.backups :service="$service" :key="'proxmoxwp-backups-'.$service->id" />
    <livewire:proxmoxwp.archives :service="$service" :key="'proxmoxwp-archives-'.$service->id" />
    <livewire:proxmoxwp.export :service="$service" :key="'proxmoxwp-export-'.$service->id" />
@else
    <livewire:proxmoxwp.overview :service="$service" :key="'proxmoxwp-overview-'.$service->id" />
@endif
