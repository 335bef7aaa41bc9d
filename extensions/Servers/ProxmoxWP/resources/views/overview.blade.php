<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => 'resetSite(true)'])
    @if ($data !== null)
        @if ($data['status'] === 'suspended')
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.suspended') }}</p>
        @elseif ($data['stale'])
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.stale') }}</p>
        @elseif ($data['status'] === 'failed')
            <div class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4" role="alert">
                <p class="font-semibold">{{ __('proxmoxwp::panel.order_failed') }}</p>
                <p class="mt-2">{{ __('proxmoxwp::panel.order_failed_next') }}</p>
            </div>
        @endif
        @if ($data['disk_warning'] !== '')
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4" role="alert">{{ $data['disk_warning'] }}</p>
        @endif
        @if ($data['safe_mode'])
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.safe_mode_is_on') }}</p>
        @endif
        @php
            $usable = in_array($data['status'], ['running', 'stopped', 'unknown'], true);
            $rows = [
                'site' => $data['url'],
                'status' => __('proxmoxwp::panel.statuses.'.$data['status']),
                'plan' => $data['plan']['name'] === '' ? '' : __('proxmoxwp::panel.plan_of', $data['plan']),
                'cpu' => $data['cpu'],
                'memory' => $data['memory'],
                'disk' => $data['disk'],
                'traffic' => $data['traffic'] === null ? '' : __('proxmoxwp::panel.traffic_of', $data['traffic']),
                'uptime' => $data['uptime'],
                'visitors' => $usable ? __('proxmoxwp::panel.'.($data['enabled'] ? 'visitors_on' : 'visitors_off')) : '',
            ];
        @endphp
        <dl class="grid md:grid-cols-2 gap-4">
            @foreach (array_filter($rows, fn ($text) => $text !== '') as $label => $text)
                <div class="flex flex-row flex-wrap text-base">
                    <dt class="mr-2 text-base/70">{{ __("proxmoxwp::panel.$label") }}:</dt>
                    <dd @class(['break-words', 'font-semibold' => $label === 'status'])>
                        @if ($label === 'site')
                            <a href="{{ $text }}" target="_blank" rel="noopener noreferrer" class="underline"
                                style="overflow-wrap: anywhere">{{ $text }}</a>
                        @else
                            {{ $text }}
                        @endif
                    </dd>
                </div>
            @endforeach
        </dl>
        @if ($data['disk_percent'] !== null)
            <div class="w-full bg-neutral rounded-full mt-4" role="meter" aria-label="{{ __('proxmoxwp::panel.disk') }}"
                aria-valuenow="{{ $data['disk_percent'] }}" aria-valuemin="0" aria-valuemax="100">
                <div class="bg-primary rounded-full" style="height: 0.5rem; width: {{ $data['disk_percent'] }}%"></div>
            </div>
        @endif
        @if ($usable)
            <div class="flex flex-row flex-wrap gap-2 mt-4">
                @if ($data['status'] !== 'running')
                    <x-button.secondary type="button" class="!w-fit" wire:click="power('start')" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.start') }}
                    </x-button.secondary>
                @endif
                @if ($data['status'] !== 'stopped')
                    <x-button.secondary type="button" class="!w-fit" wire:click="power('restart')" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.restart') }}
                    </x-button.secondary>
                    <x-button.secondary type="button" class="!w-fit" wire:click="power('stop')" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.stop') }}
                    </x-button.secondary>
                @endif
                <x-button.secondary type="button" class="!w-fit" wire:click="toggle({{ $data['enabled'] ? 'false' : 'true' }})"
                    wire:loading.attr="disabled">
                    {{ __('proxmoxwp::panel.'.($data['enabled'] ? 'turn_off' : 'turn_on')) }}
                </x-button.secondary>
                <x-button.danger type="button" class="!w-fit" wire:click="resetSite" wire:loading.attr="disabled"
                    wire:confirm="{{ __('proxmoxwp::panel.confirm.reset') }}">
                    {{ __('proxmoxwp::panel.reset') }}
                </x-button.danger>
            </div>
        @endif
    @endif
</div>
