<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => ''])
    @if ($data !== null)
        <p class="text-base/70 mb-4">
            {{ __('proxmoxwp::panel.domains_left', ['remaining' => $data['remaining'], 'allowed' => $data['allowed']]) }}
        </p>
        @if ($data['own'] !== null)
            <div class="flex flex-wrap items-center justify-between gap-4 border-b border-neutral py-2">
                <div class="flex-1" style="overflow-wrap: anywhere; min-width: 12rem">
                    <p class="font-semibold">{{ $data['own']['name'] }}</p>
                    <p class="text-sm text-base/70">{{ __('proxmoxwp::panel.own_name') }}</p>
                    @if ($data['own']['primary'])
                        <p class="text-sm">{{ __('proxmoxwp::panel.primary') }}</p>
                    @endif
                </div>
                @if (! $data['own']['primary'])
                    <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.choose_domain', ['name' => $data['own']['name']]) }}"
                        wire:click="choose({{ \Illuminate\Support\Js::from($data['own']['name']) }})" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.choose') }}
                    </x-button.secondary>
                @endif
            </div>
        @endif
        @forelse ($data['domains'] as $row)
            <div class="flex flex-wrap items-center justify-between gap-4 border-b border-neutral py-2" wire:key="domain-{{ $row['name'] }}">
                <div class="flex-1" style="overflow-wrap: anywhere; min-width: 12rem">
                    <p class="font-semibold">{{ $row['name'] }}</p>
                    <p class="text-sm text-base/70 break-words">
                        {{ __('proxmoxwp::panel.domain_statuses.'.$row['status']) }} ·
                        {{ __('proxmoxwp::panel.certificates.'.$row['certificate']) }}
                    </p>
                    @if ($row['primary'])
                        <p class="text-sm">{{ __('proxmoxwp::panel.primary') }}</p>
                    @endif
                    @foreach (array_unique(array_filter([$row['error'], $row['problem']])) as $sentence)
                        <p class="text-sm bg-warning/20 p-2 rounded-md mt-1">{{ $sentence }}</p>
                    @endforeach
                </div>
                @if (! $row['primary'] && $row['status'] === 'active' && $row['certificate'] === 'active')
                    <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.choose_domain', ['name' => $row['name']]) }}"
                        wire:click="choose({{ \Illuminate\Support\Js::from($row['name']) }})" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.choose') }}
                    </x-button.secondary>
                @endif
                <x-button.danger type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.remove_domain', ['name' => $row['name']]) }}"
                    wire:click="remove({{ \Illuminate\Support\Js::from($row['name']) }})"
                    wire:loading.attr="disabled" wire:confirm="{{ __('proxmoxwp::panel.confirm.domain', ['name' => $row['name']]) }}">
                    {{ __('proxmoxwp::panel.remove') }}
                </x-button.danger>
            </div>
        @empty
            <p class="text-base/70">{{ __('proxmoxwp::panel.no_domains') }}</p>
        @endforelse
    @endif
    @if ($data !== null && $data['remaining'] > 0)
        <form wire:submit="add" class="mt-4">
            <p class="text-sm mb-2">{{ __('proxmoxwp::panel.dns_must_say') }}</p>
            <p class="text-sm font-semibold mb-2 break-words">A → {{ $address }}</p>
            <p class="text-sm text-base/70 mb-2">{{ __('proxmoxwp::panel.dns_hint') }}</p>
            <x-form.input name="domain" type="text" wire:model="domain" :label="__('proxmoxwp::panel.domain')"
                placeholder="www.example.com" maxlength="253" autocomplete="off" required />
            <x-button.secondary type="submit" class="!w-fit mt-2" wire:loading.attr="disabled">
                {{ __('proxmoxwp::panel.add_domain') }}
            </x-button.secondary>
        </form>
        @if ($proof !== null)
            <div class="bg-warning/20 border border-neutral p-4 rounded-lg mt-4" role="status">
                <p>{{ __('proxmoxwp::panel.proof', ['domain' => $proof['domain']]) }}</p>
                @include('proxmoxwp::record', ['field' => 'proof_name', 'label' => __('proxmoxwp::panel.proof_name'), 'value' => $proof['name']])
                @include('proxmoxwp::record', ['field' => 'proof_value', 'label' => __('proxmoxwp::panel.proof_value'), 'value' => $proof['value']])
                <x-button.secondary type="button" class="!w-fit mt-2" wire:click="prove" wire:loading.attr="disabled">
                    {{ __('proxmoxwp::panel.prove') }}
                </x-button.secondary>
            </div>
        @endif
    @endif
</div>
