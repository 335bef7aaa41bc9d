<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => ''])
    @if ($data !== null)
        <p class="text-base/50 mb-4">
            {{ __('proxmoxwp::panel.domains_left', ['remaining' => $data['remaining'], 'allowed' => $data['allowed']]) }}
        </p>
        @forelse ($data['domains'] as $row)
            <div class="flex items-center justify-between gap-4 border-b border-neutral py-2" wire:key="domain-{{ $row['name'] }}">
                <div>
                    <p class="font-semibold break-words">{{ $row['name'] }}</p>
                    <p class="text-sm text-base/50 break-words">
                        {{ __('proxmoxwp::panel.domain_statuses.'.$row['status']) }} ·
                        {{ __('proxmoxwp::panel.certificates.'.$row['certificate']) }}
                    </p>
                    @if ($row['error'] !== '')
                        <p class="text-sm text-warning break-words">{{ $row['error'] }}</p>
                    @endif
                </div>
                <x-button.danger type="button" class="!w-fit" wire:click="remove({{ \Illuminate\Support\Js::from($row['name']) }})"
                    wire:loading.attr="disabled" wire:confirm="{{ __('proxmoxwp::panel.confirm.domain', ['name' => $row['name']]) }}">
                    {{ __('proxmoxwp::panel.remove') }}
                </x-button.danger>
            </div>
        @empty
            <p class="text-base/50">{{ __('proxmoxwp::panel.no_domains') }}</p>
        @endforelse
    @endif
    @if ($data !== null && $data['remaining'] > 0)
        <form wire:submit="add" class="mt-4">
            <p class="text-sm mb-2">{{ __('proxmoxwp::panel.dns_must_say') }}</p>
            <p class="text-sm font-semibold mb-2 break-words">A → {{ $address }} (PROXYSRV)</p>
            <p class="text-sm text-base/50 mb-2">{{ __('proxmoxwp::panel.dns_hint') }}</p>
            <x-form.input name="domain" type="text" wire:model="domain" :label="__('proxmoxwp::panel.domain')"
                placeholder="www.example.com" maxlength="253" autocomplete="off" required />
            <x-button.primary type="submit" class="!w-fit mt-2" wire:loading.attr="disabled">
                {{ __('proxmoxwp::panel.add_domain') }}
            </x-button.primary>
        </form>
    @endif
</div>
