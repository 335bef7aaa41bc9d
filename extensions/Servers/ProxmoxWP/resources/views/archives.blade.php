<div wire:init="load">
    @if ($data === null || $data['there'])
        <div class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
            <h4 class="text-lg font-semibold">{{ __('proxmoxwp::panel.archives') }}</h4>
            @include('proxmoxwp::state', ['anyway' => ''])
            @if ($data !== null)
                @php
                    $moment = fn (int $at) => \Illuminate\Support\Carbon::createFromTimestamp($at)->format('M d, Y H:i').' UTC';
                @endphp
                <p class="text-sm text-base/70 mt-1">
                    {{ __('proxmoxwp::panel.archives_hint') }}
                    @if (in_array($data['schedule'], ['daily', 'weekly'], true))
                        {{ __('proxmoxwp::panel.schedules.'.$data['schedule']) }}
                        @if ($data['next_at'] > 0)
                            {{ __('proxmoxwp::panel.archive_next', ['at' => $moment($data['next_at'])]) }}
                        @endif
                    @endif
                </p>
                <div class="flex flex-wrap items-center justify-between gap-4 mt-2">
                    <p class="text-base/70">{{ __('proxmoxwp::panel.archives_used', ['used' => $data['used'], 'allowed' => $data['allowed']]) }}</p>
                    @if ($data['used'] < $data['allowed'])
                        <x-button.secondary type="button" class="!w-fit" wire:click="create" wire:loading.attr="disabled">
                            {{ __('proxmoxwp::panel.make_archive') }}
                        </x-button.secondary>
                    @endif
                </div>
                @forelse ($data['archives'] as $row)
                    <div class="flex flex-wrap items-center justify-between gap-4 border-b border-neutral py-2" wire:key="archive-{{ $row['name'] }}">
                        <div style="overflow-wrap: anywhere">
                            <p class="font-semibold">{{ $row['name'] }}</p>
                            <p class="text-sm text-base/70">
                                @if ($row['made_at'] > 0)
                                    {{ $moment($row['made_at']) }} ·
                                @endif
                                @if ($row['size'] > 0)
                                    {{ $row['size'] }} MB ·
                                @endif
                                {{ __('proxmoxwp::panel.origins.'.$row['origin']) }} · {{ __('proxmoxwp::panel.backup_statuses.'.$row['status']) }}
                                @if ($row['until'] > 0)
                                    · {{ __('proxmoxwp::panel.archive_until', ['until' => $moment($row['until'])]) }}
                                @endif
                            </p>
                        </div>
                        @if ($row['status'] === 'ready' && $row['origin'] !== 'deletion')
                            <x-button.danger type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.remove_archive', ['name' => $row['name']]) }}"
                                wire:click="delete({{ \Illuminate\Support\Js::from($row['name']) }})"
                                wire:loading.attr="disabled" wire:confirm="{{ __('proxmoxwp::panel.confirm.archive', ['name' => $row['name']]) }}">
                                {{ __('proxmoxwp::panel.remove') }}
                            </x-button.danger>
                        @endif
                    </div>
                @empty
                    <p class="text-base/70 mt-2">{{ __('proxmoxwp::panel.no_archives') }}</p>
                @endforelse
            @endif
        </div>
    @endif
</div>
