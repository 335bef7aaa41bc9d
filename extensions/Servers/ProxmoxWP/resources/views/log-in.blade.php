<div class="container mt-14" wire:init="enter">
    <div class="bg-background-secondary border border-neutral p-6 rounded-lg">
        <h1 class="text-2xl font-semibold">{{ __('proxmoxwp::panel.log_in') }}</h1>
        @if ($trouble === null)
            <p class="flex items-center gap-2 mt-4" role="status">
                <x-ri-loader-5-fill class="size-5 animate-spin" aria-hidden="true" /> {{ __('proxmoxwp::panel.logging_in') }}
            </p>
        @else
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mt-4 break-words" role="alert">{{ $trouble }}</p>
            <div class="flex flex-row flex-wrap gap-2 mt-4">
                <x-button.secondary type="button" class="!w-fit" wire:click="enter" wire:loading.attr="disabled">
                    {{ __('proxmoxwp::panel.again') }}
                </x-button.secondary>
                <a href="{{ route('services.show', $service->id) }}" class="px-4 py-2 text-sm underline">{{ __('proxmoxwp::panel.back') }}</a>
            </div>
        @endif
    </div>
</div>
