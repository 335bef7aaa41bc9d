@if (! $loaded)
    <div class="flex items-center gap-2 text-base/50">
        <x-ri-loader-5-fill class="size-5 animate-spin" />
        <span>{{ __('dns::dns.loading') }}</span>
    </div>
@elseif ($error !== null)
    <div class="bg-warning/20 text-warning p-4 rounded-lg">
        <p>{{ $error }}</p>
        <button type="button" wire:click="load" class="underline cursor-pointer">{{ __('dns::dns.again') }}</button>
    </div>
@endif
@if ($jobs !== [])
    <div class="flex items-center gap-2 text-info">
        <x-ri-loader-5-fill class="size-5 animate-spin" />
        <span>{{ __('dns::dns.going_on') }}</span>
    </div>
@endif
