<div wire:init="load" class="bg-background-secondary border border-neutral p-6 rounded-lg mt-2">
    @include('proxmoxwp::state', ['anyway' => ''])
    @if ($data !== null && ! in_array($data['status'], ['running', 'stopped', 'unknown'], true))
        <p>{{ __('proxmoxwp::panel.tools_later') }}</p>
    @elseif ($data !== null)
        @if ($data['safe_mode'] !== null)
            <section class="border-b border-neutral pb-4 mb-4">
                <h4 class="text-lg font-semibold">{{ __('proxmoxwp::panel.safe_mode') }}</h4>
                <p class="text-sm text-base/70 mt-1">{{ __('proxmoxwp::panel.safe_mode_hint') }}</p>
                <div class="flex flex-wrap items-center gap-4 mt-2">
                    <p class="font-semibold">{{ __('proxmoxwp::panel.'.($data['safe_mode'] ? 'is_on' : 'is_off')) }}</p>
                    <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.'.($data['safe_mode'] ? 'safe_mode_end' : 'safe_mode_begin')) }}"
                        wire:click="safeMode({{ $data['safe_mode'] ? 'false' : 'true' }})" wire:loading.attr="disabled">
                        {{ __('proxmoxwp::panel.'.($data['safe_mode'] ? 'safe_mode_end' : 'safe_mode_begin')) }}
                    </x-button.secondary>
                </div>
            </section>
        @endif
        @if ($data['options'] !== null)
            <section class="border-b border-neutral pb-4 mb-4">
                <h4 class="text-lg font-semibold">{{ __('proxmoxwp::panel.options') }}</h4>
                @foreach (['cache', 'xmlrpc'] as $option)
                    @php
                        $isOn = $data['options'][$option];
                        $act = __('proxmoxwp::panel.'.($isOn ? 'switch_off' : 'switch_on'));
                        $label = $act.': '.__("proxmoxwp::panel.option_names.$option");
                    @endphp
                    <div class="flex flex-wrap items-center justify-between gap-4 mt-2">
                        <div class="flex-1" style="min-width: 12rem">
                            <p><span class="font-semibold">{{ __("proxmoxwp::panel.option_names.$option") }}</span>:
                                {{ __('proxmoxwp::panel.'.($isOn ? 'is_on' : 'is_off')) }}</p>
                            <p class="text-sm text-base/70">{{ __("proxmoxwp::panel.option_hints.$option") }}</p>
                        </div>
                        <x-button.secondary type="button" class="!w-fit" aria-label="{{ $label }}"
                            wire:click="turn('{{ $option }}', {{ $isOn ? 'false' : 'true' }})" wire:loading.attr="disabled">
                            {{ $act }}
                        </x-button.secondary>
                    </div>
                @endforeach
                <form wire:submit="save" class="mt-4">
                    <div class="grid md:grid-cols-2 gap-4">
                        <x-form.input name="uploadMb" type="number" wire:model="uploadMb" min="1" max="{{ $data['most']['upload_mb'] }}" required
                            :label="__('proxmoxwp::panel.option_names.upload_mb', ['most' => $data['most']['upload_mb']])" />
                        <x-form.input name="memoryMb" type="number" wire:model="memoryMb" min="64" max="{{ $data['most']['memory_mb'] }}" required
                            :label="__('proxmoxwp::panel.option_names.memory_mb', ['most' => $data['most']['memory_mb']])" />
                    </div>
                    @error('options')
                        <p class="text-sm bg-warning/20 p-2 rounded-md mt-1" role="alert">{{ $message }}</p>
                    @enderror
                    <x-button.secondary type="submit" class="!w-fit mt-2" wire:loading.attr="disabled">{{ __('proxmoxwp::panel.save') }}</x-button.secondary>
                </form>
            </section>
        @endif
        <section>
            <h4 class="text-lg font-semibold">{{ __('proxmoxwp::panel.replace') }}</h4>
            <p class="text-sm text-base/70 mt-1">{{ __('proxmoxwp::panel.replace_hint') }}</p>
            <form wire:submit="countAddresses" class="mt-2">
                <div class="grid md:grid-cols-2 gap-4">
                    <x-form.input name="from" type="text" wire:model="from" maxlength="253" autocomplete="off" required placeholder="old.example.com"
                        :label="__('proxmoxwp::panel.replace_from')" />
                    <x-form.input name="to" type="text" wire:model="to" maxlength="253" autocomplete="off" required placeholder="www.example.com"
                        :label="__('proxmoxwp::panel.replace_to')" />
                </div>
                <x-button.secondary type="submit" class="!w-fit mt-2" wire:loading.attr="disabled">{{ __('proxmoxwp::panel.count') }}</x-button.secondary>
            </form>
            @if ($counted !== null)
                <div class="bg-warning/20 border border-neutral p-4 rounded-lg mt-4" role="status">
                    <p style="overflow-wrap: anywhere">{{ __('proxmoxwp::panel.counted', $counted) }}</p>
                    @if ($counted['left'] > 0)
                        <p class="mt-2">{{ __('proxmoxwp::panel.counted_left', ['left' => $counted['left']]) }}</p>
                    @endif
                    @if ($counted['changes'] > 0)
                        <x-button.danger type="button" class="!w-fit mt-2" wire:click="replaceAddresses" wire:loading.attr="disabled"
                            wire:confirm="{{ __('proxmoxwp::panel.confirm.replace', $counted) }}">
                            {{ __('proxmoxwp::panel.replace_now') }}
                        </x-button.danger>
                    @endif
                </div>
            @endif
        </section>
    @endif
</div>
