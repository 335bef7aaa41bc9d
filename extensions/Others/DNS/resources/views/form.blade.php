<form id="record-form" wire:submit="save" class="bg-background-secondary border border-neutral p-6 rounded-lg">
    <h2 class="text-lg font-semibold">{{ $editing === '' ? __('dns::dns.add_record') : __('dns::dns.edit_record') }}</h2>
    <div class="grid md:grid-cols-4 gap-4 mt-4">
        <x-form.select name="type" :label="__('dns::dns.type')" wire:model="type" :disabled="$editing !== ''">
            @foreach (\Paymenter\Extensions\Others\DNS\Record::TYPES as $each)
                <option value="{{ $each }}">{{ $each }}</option>
            @endforeach
        </x-form.select>
        <x-form.input name="name" type="text" :label="__('dns::dns.name')" placeholder="@" wire:model="name" maxlength="300"
            autocomplete="off" required />
        <x-form.input name="ttl" type="number" :label="__('dns::dns.ttl')" wire:model="ttl" min="60" max="86400" required />
        <div x-show="$wire.type === 'MX' || $wire.type === 'SRV'">
            <x-form.input name="priority" type="number" :label="__('dns::dns.priority')" wire:model="priority" min="0" max="65535" />
        </div>
        <div class="md:col-span-3">
            <x-form.input name="content" type="text" :label="__('dns::dns.content')" wire:model="content" maxlength="20000"
                autocomplete="off" required />
            @foreach (\Paymenter\Extensions\Others\DNS\Record::TYPES as $each)
                <p class="text-xs text-base/70 mt-1" x-show="$wire.type === '{{ $each }}'" x-cloak>{{ __('dns::dns.hints.'.$each) }}</p>
            @endforeach
        </div>
    </div>
    <p class="text-xs text-base/70 mt-4">{{ __('dns::dns.live_later') }}</p>
    <div class="flex flex-row gap-2 mt-4">
        <x-button.secondary type="submit" class="!w-fit" wire:loading.attr="disabled">{{ __('dns::dns.save') }}</x-button.secondary>
        @if ($editing !== '')
            <x-button.secondary type="button" class="!w-fit" wire:click="cancel">{{ __('dns::dns.cancel') }}</x-button.secondary>
        @endif
    </div>
</form>
