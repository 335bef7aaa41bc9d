<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => 'resetSite(true)'])
    @if ($data !== null)
        @if ($data['status'] === 'suspended')
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.suspended') }}</p>
        @elseif ($data['stale'])
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.stale') }}</p>
        @elseif ($data['status'] === 'failed')
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4">{{ __('proxmoxwp::panel.order_failed') }}</p>
        @endif
        @php
            $usable = in_array($data['status'], ['running', 'stopped', 'unknown'], true);
            $rows = [
                'site' => $data['url'],
                'status' => __('proxmoxwp::panel.statuses.'.$data['status']),
                'plan' => $data['plan']['name'] === '' ? '' : __('proxmoxwp::panel.plan_of', $data['plan']),
                'expires' => $service->expires_at ? $service->expires_at->format('M d, Y') : '',
                'subdomain' => $data['subdomain'],
                'public_ip' => $data['public_ip'],
                'cpu' => $data['cpu'],
                'memory' => $data['memory'],
                'disk' => $data['disk'],
                'uptime' => $data['uptime'],
                'traffic' => $usable ? __('proxmoxwp::panel.'.($data['enabled'] ? 'traffic_on' : 'traffic_off')) : '',
            ];
        @endphp
        <div class="grid md:grid-cols-2 gap-4">
            @foreach (array_filter($rows, fn ($text) => $text !== '') as $label => $text)
                <div class="flex items-center text-base">
                    <span class="mr-2">{{ __("proxmoxwp::panel.$label") }}:</span>
                    @if ($label === 'site')
                        <a href="{{ $text }}" target="_blank" rel="noopener noreferrer" class="text-primary break-words">{{ $text }}</a>
                    @elseif ($label === 'status')
                        <span @class(['font-semibold', $data['status'] === 'running' ? 'text-success' : 'text-warning'])>
                            {{ $text }}
                        </span>
                    @else
                        <span class="text-base/50 break-words">{{ $text }}</span>
                    @endif
                </div>
            @endforeach
        </div>
        @if ($usable)
            <div class="flex flex-row flex-wrap gap-2 mt-4">
                @if ($data['status'] !== 'running')
                    <x-button.primary type="button" class="!w-fit" wire:click="power('start')" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.start') }}
                    </x-button.primary>
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
