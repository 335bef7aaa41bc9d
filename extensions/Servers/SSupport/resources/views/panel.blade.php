<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    <h4 class="text-lg font-semibold">{{ __('ssupport::support.title') }}</h4>
    @if (! $loaded)
        <div class="flex items-center gap-2 mt-2 text-base/50">
            <x-ri-loader-5-fill class="size-5 animate-spin" />
            <span>{{ __('ssupport::support.loading') }}</span>
        </div>
    @else
        @if ($error !== null)
            <div class="bg-warning/20 text-warning p-4 rounded-lg mt-2">
                <p>{{ $error }}</p>
                <button type="button" wire:click="load" class="underline cursor-pointer">{{ __('ssupport::support.again') }}</button>
            </div>
        @endif
        @if ($status === 'SUSPENDED' || $status === 'INACTIVE')
            <p class="bg-warning/20 text-warning p-4 rounded-lg mt-2">{{ __('ssupport::support.not_valid') }}</p>
        @endif
        @if ($key !== '')
            <p class="text-base/50 mt-2">{{ __('ssupport::support.how') }}</p>
            <div class="flex flex-row gap-2 mt-2" x-data="{ copied: false }">
                <x-form.input name="support_key" type="text" readonly :value="$key" x-ref="key" x-on:focus="$el.select()"
                    :aria-label="__('ssupport::support.key')" />
                <x-button.primary type="button" class="!w-fit"
                    x-on:click="$refs.key.select(); copied = document.execCommand('copy'); setTimeout(() => copied = false, 2000)">
                    <span x-show="! copied">{{ __('ssupport::support.copy') }}</span>
                    <span x-show="copied" x-cloak>{{ __('ssupport::support.copied') }}</span>
                </x-button.primary>
            </div>
        @endif
        <div class="mt-4">
            @if ($status !== null)
                <div class="flex items-center text-base">
                    <span class="mr-2">{{ __('ssupport::support.status') }}:</span>
                    <span class="font-semibold {{ $status === 'ACTIVE' ? 'text-success' : 'text-warning' }}">
                        {{ __('ssupport::support.statuses.'.$status) }}
                    </span>
                </div>
            @endif
            <div class="flex items-center text-base">
                <span class="mr-2">{{ __('ssupport::support.plan') }}:</span>
                <span class="text-base/50 break-words">{{ $plan }}</span>
            </div>
            <div class="flex items-center text-base">
                <span class="mr-2">{{ __('ssupport::support.email') }}:</span>
                <span class="text-base/50 break-words">{{ $email }}</span>
            </div>
        </div>
    @endif
</div>
