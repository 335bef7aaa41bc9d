<div class="container mt-14 space-y-4" wire:init="load" @if ($watching) wire:poll.4s="load" @endif>
    <h1 class="text-2xl font-bold">{{ __('dns::dns.title') }}</h1>

    @include('dns::state')

    @foreach ($zones as $zone)
        <div wire:key="zone-{{ $zone->id }}" class="bg-background-secondary border border-neutral p-4 rounded-lg">
            <div class="flex flex-col md:flex-row justify-between gap-4">
                <div>
                    <div class="flex flex-wrap items-center gap-3">
                        @if ($zone->id !== '')
                            <a href="{{ route('dns.zone', $zone->id) }}" wire:navigate class="font-medium break-words hover:underline">{{ $zone->name }}</a>
                        @else
                            <span class="font-medium break-words">{{ $zone->name }}</span>
                        @endif
                        @include('dns::status', ['status' => $zone->status])
                    </div>
                    <p class="text-sm text-base/70 mt-1">{{ trans_choice('dns::dns.count', count($zone->records)) }}</p>
                </div>
                @if ($zone->id !== '' && $zone->status !== 'deleting')
                    <div class="flex flex-row gap-2">
                        <a href="{{ route('dns.zone', $zone->id) }}" wire:navigate aria-label="{{ __('dns::dns.records_of', ['zone' => $zone->name]) }}"
                            class="flex items-center bg-background-secondary text-sm font-semibold border border-neutral hover:bg-background-secondary/80 py-2 px-4.5 rounded-md h-fit">
                            {{ __('dns::dns.records') }}
                        </a>
                        <x-button.danger type="button" class="!w-fit h-fit" aria-label="{{ __('dns::dns.delete_of', ['zone' => $zone->name]) }}" wire:click="delete('{{ $zone->id }}')"
                            wire:confirm="{{ __('dns::dns.confirm_zone', ['zone' => $zone->name]) }}" wire:loading.attr="disabled">
                            {{ __('dns::dns.delete') }}
                        </x-button.danger>
                    </div>
                @endif
            </div>
            @include('dns::trouble', ['of' => $zone])
        </div>
    @endforeach

    @if ($loaded && $error === null && $zones === [])
        <div class="bg-background-secondary border border-neutral p-4 rounded-lg">
            <p class="text-base text-sm">{{ __('dns::dns.no_zones') }}</p>
        </div>
    @endif

    <div class="bg-background-secondary border border-neutral p-6 rounded-lg">
        <h2 class="text-lg font-semibold">{{ __('dns::dns.add_zone') }}</h2>
        <p class="text-sm text-base/80 mt-2">{{ __('dns::dns.delegate') }}</p>
        @if ($nameservers !== [])
            <ul class="list-disc list-inside text-sm font-semibold mt-2">
                @foreach ($nameservers as $nameserver)
                    <li>{{ $nameserver }}</li>
                @endforeach
            </ul>
        @else
            <p class="text-sm text-base/80 mt-2">{{ __('dns::dns.delegate_unknown') }}</p>
        @endif
        <p class="text-sm text-base/80 mt-2">{{ __('dns::dns.delegate_wait') }}</p>
        <form wire:submit="add" class="flex flex-col gap-4 mt-4">
            <x-form.input name="domain" type="text" :label="__('dns::dns.domain')" placeholder="example.com" wire:model="domain"
                maxlength="300" autocomplete="off" required />
            <x-button.secondary type="submit" class="!w-fit" wire:loading.attr="disabled">{{ __('dns::dns.add_zone') }}</x-button.secondary>
        </form>
    </div>
</div>
