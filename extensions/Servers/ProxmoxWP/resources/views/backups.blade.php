<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => 'rollBack('.\Illuminate\Support\Js::from($question['subject'] ?? '').', true)'])
    @if ($data !== null)
        <div class="flex flex-wrap items-center justify-between gap-4 mb-4">
            <p class="text-base/70">
                {{ __('proxmoxwp::panel.backups_used', ['used' => $data['used'], 'allowed' => $data['allowed']]) }}
            </p>
            @if ($data['used'] < $data['allowed'])
                <x-button.secondary type="button" class="!w-fit" wire:click="create" wire:loading.attr="disabled">
                    {{ __('proxmoxwp::panel.make_backup') }}
                </x-button.secondary>
            @endif
        </div>
        @forelse ($data['backups'] as $row)
            <div class="flex flex-wrap items-center justify-between gap-4 border-b border-neutral py-2" wire:key="backup-{{ $row['name'] }}">
                <div style="overflow-wrap: anywhere">
                    <p class="font-semibold">{{ $row['name'] }}</p>
                    <p class="text-sm text-base/70">
                        @if ($row['made_at'] > 0)
                            {{ \Illuminate\Support\Carbon::createFromTimestamp($row['made_at'])->format('M d, Y H:i') }} UTC ·
                        @endif
                        {{ __('proxmoxwp::panel.backup_statuses.'.$row['status']) }}
                        @if ($row['safety'])
                            · {{ __('proxmoxwp::panel.safety_backup') }}
                        @endif
                    </p>
                </div>
                @if ($row['status'] === 'ready')
                    <div class="flex flex-row flex-wrap gap-2">
                        <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.roll_back_to', ['name' => $row['name']]) }}"
                            wire:click="rollBack({{ \Illuminate\Support\Js::from($row['name']) }})"
                            wire:loading.attr="disabled" wire:confirm="{{ __('proxmoxwp::panel.confirm.roll_back', ['name' => $row['name']]) }}">
                            {{ __('proxmoxwp::panel.roll_back') }}
                        </x-button.secondary>
                        <x-button.danger type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.remove_backup', ['name' => $row['name']]) }}"
                            wire:click="delete({{ \Illuminate\Support\Js::from($row['name']) }})"
                            wire:loading.attr="disabled" wire:confirm="{{ __('proxmoxwp::panel.confirm.backup', ['name' => $row['name']]) }}">
                            {{ __('proxmoxwp::panel.remove') }}
                        </x-button.danger>
                    </div>
                @endif
            </div>
        @empty
            <p class="text-base/70">{{ __('proxmoxwp::panel.no_backups') }}</p>
        @endforelse
    @endif
</div>
