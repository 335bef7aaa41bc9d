<div class="container mt-14 space-y-4" wire:init="load" @if ($watching) wire:poll.4s="load" @endif>
    <div class="flex flex-row flex-wrap items-center gap-3">
        <a href="{{ route('dns.zones') }}" wire:navigate class="text-lg font-bold hover:text-primary">{{ __('dns::dns.title') }}</a>
        @if ($found)
            <x-ri-arrow-right-s-line class="size-4 text-base" aria-hidden="true" />
            <h1 class="text-lg font-bold break-words">{{ $found->name }}</h1>
            @include('dns::status', ['status' => $found->status])
        @endif
    </div>

    @include('dns::state')

    @if ($found)
        @include('dns::trouble', ['of' => $found])
        <p class="text-sm text-base/70 break-words">
            {{ __('dns::dns.nameservers') }}: {{ implode(', ', $found->nameservers) ?: '–' }}
        </p>
        @if (\Illuminate\Support\Facades\Route::has('dns.file'))
            <p><a href="{{ route('dns.file', $zone) }}" wire:navigate class="underline">{{ __('dns::dns.file') }}</a></p>
        @endif
        @include('dns::records')
        @if ($found->status !== 'deleting')
            @include('dns::form')
            <x-button.danger type="button" class="!w-fit" wire:click="deleteZone" wire:loading.attr="disabled"
                wire:confirm="{{ __('dns::dns.confirm_zone', ['zone' => $found->name]) }}">
                {{ __('dns::dns.delete_zone') }}
            </x-button.danger>
        @endif
    @endif
</div>
