<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    <h4 class="text-lg font-semibold">{{ __('ssupport::support.title') }}</h4>
    @if (! $loaded)
        <p class="flex items-center gap-2 mt-2" role="status">
            <x-ri-loader-5-fill class="size-5 animate-spin" aria-hidden="true" /> {{ __('ssupport::support.loading') }}
        </p>
    @else
        @if ($error !== null)
            <div class="bg-warning/20 border border-neutral p-4 rounded-lg mt-2" role="status">
                <p>{{ $error }}</p>
                <button type="button" wire:click="load" class="underline cursor-pointer">{{ __('ssupport::support.again') }}</button>
            </div>
        @endif
        @if ($status === 'SUSPENDED' || $status === 'INACTIVE')
            <p class="bg-warning/20 border border-neutral p-4 rounded-lg mt-2" role="status">
                {{ __('ssupport::support.not_valid.'.$status) }}
            </p>
        @elseif ($key !== '')
            <p class="mt-2">{{ __('ssupport::support.how') }}</p>
            <div class="flex flex-row flex-wrap gap-2 mt-2" x-data="{ copied: false }">
                <x-form.input name="support_key" type="text" readonly :value="$key" x-ref="key" x-on:focus="$el.select()"
                    :label="__('ssupport::support.key')" />
                <x-button.secondary type="button" class="!w-fit" aria-live="polite"
                    x-on:click="$refs.key.select(); copied = document.execCommand('copy'); setTimeout(() => copied = false, 2000)">
                    <span x-show="! copied">{{ __('ssupport::support.copy') }}</span>
                    <span x-show="copied" x-cloak>{{ __('ssupport::support.copied') }}</span>
                </x-button.secondary>
            </div>
        @endif
        @if ($status === 'ACTIVE')
            <div class="flex flex-row flex-wrap gap-2 mt-2">
                @if ($portal !== '')
                    <a href="{{ $portal }}" target="_blank" rel="noopener noreferrer" class="underline px-2 py-2">{{ __('ssupport::support.portal') }}</a>
                @endif
                <x-button.danger type="button" class="!w-fit" wire:click="rotate({{ \Illuminate\Support\Js::from($key) }})" wire:loading.attr="disabled"
                    wire:confirm="{{ __('ssupport::support.confirm_rotate') }}">
                    {{ __('ssupport::support.rotate') }}
                </x-button.danger>
            </div>
        @endif
        <dl class="mt-4">
            @if ($status !== null)
                <div class="flex flex-wrap text-base">
                    <dt class="mr-2 text-base/70">{{ __('ssupport::support.status') }}:</dt>
                    <dd class="font-semibold">{{ __('ssupport::support.statuses.'.$status) }}</dd>
                </div>
            @endif
            <div class="flex flex-wrap text-base">
                <dt class="mr-2 text-base/70">{{ __('ssupport::support.email') }}:</dt>
                <dd style="overflow-wrap: anywhere">{{ $email }}</dd>
            </div>
        </dl>
    @endif
</div>
