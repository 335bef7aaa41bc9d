{{-- One value that is to be copied into somebody else's form. --}}
<div class="flex flex-row flex-wrap items-end gap-2 mt-2" x-data="{ copied: false }">
    <x-form.input name="{{ $field }}" type="text" readonly :value="$value" x-ref="value" x-on:focus="$el.select()" :label="$label" />
    <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('proxmoxwp::panel.copy') }}: {{ $label }}"
        x-on:click="$refs.value.select(); copied = document.execCommand('copy'); setTimeout(() => copied = false, 2000)">
        <span x-show="! copied">{{ __('proxmoxwp::panel.copy') }}</span>
        <span x-show="copied" x-cloak>{{ __('proxmoxwp::panel.copied') }}</span>
    </x-button.secondary>
</div>
