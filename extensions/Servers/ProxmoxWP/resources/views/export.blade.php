<div wire:init="load">
    @if ($data === null || $data['there'])
        <div class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
            <h4 class="text-lg font-semibold">{{ __('proxmoxwp::panel.export') }}</h4>
            @include('proxmoxwp::state', ['anyway' => ''])
            @if ($data !== null)
                <p class="text-sm text-base/70 mt-1">{{ __('proxmoxwp::panel.export_hint') }}</p>
                @if ($data['url'] !== '')
                    <p class="mt-2">
                        <a href="{{ $data['url'] }}" rel="noopener noreferrer" class="underline">{{ __('proxmoxwp::panel.export_get', ['size' => $data['size']]) }}</a>
                        @if ($data['until'] > 0)
                            <span class="text-sm text-base/70">{{ __('proxmoxwp::panel.export_until',
                                ['until' => \Illuminate\Support\Carbon::createFromTimestamp($data['until'])->format('M d, Y H:i')]) }}</span>
                        @endif
                    </p>
                @endif
                <x-button.secondary type="button" class="!w-fit mt-2" wire:click="make" wire:loading.attr="disabled">
                    {{ __('proxmoxwp::panel.export_make') }}
                </x-button.secondary>
            @endif
        </div>
    @endif
</div>
