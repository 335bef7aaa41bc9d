{{-- What every part shows above its own: that it loads, what is wrong, what is going on, and what has to be decided. --}}
@if ($busy)
    <div wire:poll.3s="poll"></div>
@endif
@if ($orderFailed)
    <div class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4" role="alert">
        <p class="font-semibold">{{ __('proxmoxwp::panel.order_failed') }}</p>
        <p class="mt-2">{{ __('proxmoxwp::panel.order_failed_next') }}</p>
    </div>
@elseif ($trouble !== null)
    <div class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4 flex flex-wrap items-center justify-between gap-4" role="status">
        <p class="break-words">{{ $trouble }}</p>
        <x-button.secondary type="button" class="!w-fit" wire:click="load" wire:loading.attr="disabled">
            {{ __('proxmoxwp::panel.again') }}
        </x-button.secondary>
    </div>
@elseif ($data === null)
    <p class="flex items-center gap-2" role="status">
        <x-ri-loader-5-fill class="size-5 animate-spin" aria-hidden="true" /> {{ __('proxmoxwp::panel.loading') }}
    </p>
@endif
@if ($question !== null)
    <div class="bg-warning/20 border border-neutral p-4 rounded-lg mb-4" role="alert">
        <p class="break-words">{{ $question['sentence'] }}</p>
        <div class="flex flex-row flex-wrap gap-2 mt-2">
            <x-button.danger type="button" class="!w-fit" wire:click="{{ $anyway }}"
                wire:confirm="{{ __('proxmoxwp::panel.confirm.anyway') }}">{{ __('proxmoxwp::panel.anyway') }}</x-button.danger>
            <x-button.secondary type="button" class="!w-fit" wire:click="decline">{{ __('proxmoxwp::panel.decline') }}</x-button.secondary>
        </div>
    </div>
@endif
@php
    $shown = $job ?? $data['job'] ?? null;
@endphp
@if ($shown !== null && $shown['running'])
    @php
        $what = $begun ?? __('proxmoxwp::panel.'.(($data['status'] ?? '') === 'provisioning' ? 'setting_up' : 'working'));
    @endphp
    <div class="mb-4">
        <p class="text-sm break-words" role="status">
            {{ $what }}
            @if ($shown['eta'] !== null)
                <span class="text-base/70">{{ __('proxmoxwp::panel.eta', ['seconds' => $shown['eta']]) }}</span>
            @endif
        </p>
        <div class="w-full bg-neutral rounded-full mt-2" role="progressbar" aria-label="{{ $what }}"
            aria-valuenow="{{ $shown['percent'] }}" aria-valuemin="0" aria-valuemax="100">
            <div class="bg-primary rounded-full" style="height: 0.5rem; width: {{ $shown['percent'] }}%"></div>
        </div>
    </div>
@endif
