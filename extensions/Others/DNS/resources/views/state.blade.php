@if (! $loaded)
    <p class="flex items-center gap-2" role="status">
        <x-ri-loader-5-fill class="size-5 animate-spin" aria-hidden="true" /> {{ __('dns::dns.loading') }}
    </p>
@elseif ($error !== null)
    <div class="bg-warning/20 border border-neutral p-4 rounded-lg" role="status">
        <p>{{ $error }}</p>
        <button type="button" wire:click="load" class="underline cursor-pointer">{{ __('dns::dns.again') }}</button>
    </div>
@endif
@if ($jobs !== [])
    <p class="flex items-center gap-2" role="status">
        <x-ri-loader-5-fill class="size-5 animate-spin" aria-hidden="true" /> {{ __('dns::dns.going_on') }}
    </p>
@endif
