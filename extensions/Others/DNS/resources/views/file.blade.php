<div class="container mt-14 space-y-4" wire:init="load" @if ($watching) wire:poll.4s="load" @endif>
    <div class="flex flex-row flex-wrap items-center gap-3">
        <a href="{{ route('dns.zones') }}" wire:navigate class="text-lg font-bold hover:text-primary">{{ __('dns::dns.title') }}</a>
        @if ($found)
            <x-ri-arrow-right-s-line class="size-4 text-base" aria-hidden="true" />
            <a href="{{ route('dns.zone', $zone) }}" wire:navigate class="text-lg font-bold hover:text-primary break-words">{{ $found->name }}</a>
        @endif
        <x-ri-arrow-right-s-line class="size-4 text-base" aria-hidden="true" />
        <h1 class="text-lg font-bold">{{ __('dns::dns.file') }}</h1>
    </div>

    @include('dns::state')

    @if ($found)
        <section class="bg-background-secondary border border-neutral p-6 rounded-lg">
            <h2 class="text-lg font-semibold">{{ __('dns::dns.take_in') }}</h2>
            <p class="text-sm text-base/80 mt-2">{{ __('dns::dns.take_in_hint') }}</p>
            <form wire:submit="check" class="flex flex-col gap-4 mt-4">
                <x-form.textarea name="zonefile" wire:model="zonefile" :label="__('dns::dns.zonefile')" rows="8" required
                    placeholder="www 3600 IN A 203.0.113.10"></x-form.textarea>
                <x-form.select name="mode" wire:model="mode" :label="__('dns::dns.mode')">
                    @foreach (['add', 'replace'] as $each)
                        <option value="{{ $each }}">{{ __("dns::dns.modes.$each") }}</option>
                    @endforeach
                </x-form.select>
                <x-button.secondary type="submit" class="!w-fit" wire:loading.attr="disabled">{{ __('dns::dns.check') }}</x-button.secondary>
            </form>
            @if ($plan !== null)
                @php
                    $refused = count(array_filter($plan, fn ($line) => $line['act'] === 'refuse'));
                    $taken = count(array_filter($plan, fn ($line) => in_array($line['act'], ['add', 'change', 'delete'], true)));
                @endphp
                <div class="mt-4" role="status">
                    <p class="font-semibold">{{ __('dns::dns.plan', ['taken' => $taken, 'refused' => $refused]) }}</p>
                    <ul class="mt-2">
                        @foreach ($plan as $line)
                            <li class="border-b border-neutral py-2 text-sm" style="overflow-wrap: anywhere">
                                <span class="font-semibold">{{ __('dns::dns.acts.'.$line['act']) }}</span>
                                @if ($line['number'] > 0)
                                    <span class="text-base/70">{{ __('dns::dns.line', ['number' => $line['number']]) }}</span>
                                @endif
                                {{ $line['text'] }}
                                @if ($line['reason'] !== '')
                                    <span class="text-base/70">{{ $line['reason'] }}</span>
                                @endif
                            </li>
                        @endforeach
                    </ul>
                    @if ($taken > 0)
                        <x-button.danger type="button" class="!w-fit mt-4" wire:click="take({{ $refused > 0 ? 'true' : 'false' }})" wire:loading.attr="disabled"
                            wire:confirm="{{ __('dns::dns.confirm_take', ['taken' => $taken]) }}">
                            {{ __('dns::dns.'.($refused > 0 ? 'take_rest' : 'take')) }}
                        </x-button.danger>
                    @endif
                </div>
            @endif
        </section>

        <section class="bg-background-secondary border border-neutral p-6 rounded-lg">
            <h2 class="text-lg font-semibold">{{ __('dns::dns.own_file') }}</h2>
            @if ($export === '')
                <x-button.secondary type="button" class="!w-fit mt-4" wire:click="show" wire:loading.attr="disabled">{{ __('dns::dns.show_file') }}</x-button.secondary>
            @else
                <x-form.textarea name="export" readonly rows="12" :label="__('dns::dns.zonefile')" x-on:focus="$el.select()">{{ $export }}</x-form.textarea>
            @endif
        </section>

        <section class="bg-background-secondary border border-neutral p-6 rounded-lg">
            <h2 class="text-lg font-semibold">{{ __('dns::dns.history') }}</h2>
            @forelse ($history as $past)
                <div wire:key="past-{{ $past->id }}" class="border-b border-neutral py-2 text-sm" style="overflow-wrap: anywhere">
                    <p><span class="font-semibold">{{ __('dns::dns.acts.'.$past->act) }}</span>
                        <span class="text-base/70">{{ $past->at }} · {{ __('dns::dns.by.'.$past->by) }}</span></p>
                    @if ($past->before !== '')
                        <p>{{ __('dns::dns.before') }}: {{ $past->before }}</p>
                    @endif
                    @if ($past->after !== '')
                        <p>{{ __('dns::dns.after') }}: {{ $past->after }}</p>
                    @endif
                    @if ($past->id !== '')
                        <div class="flex flex-row flex-wrap gap-2 mt-2">
                            <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('dns::dns.undo') }}: {{ $past->after ?: $past->before }}"
                                wire:click="undo('{{ $past->id }}')" wire:loading.attr="disabled" wire:confirm="{{ __('dns::dns.confirm_undo') }}">
                                {{ __('dns::dns.undo') }}
                            </x-button.secondary>
                            <x-button.secondary type="button" class="!w-fit" aria-label="{{ __('dns::dns.undo_since') }}: {{ $past->after ?: $past->before }}"
                                wire:click="undo('{{ $past->id }}', true)" wire:loading.attr="disabled" wire:confirm="{{ __('dns::dns.confirm_undo_since') }}">
                                {{ __('dns::dns.undo_since') }}
                            </x-button.secondary>
                        </div>
                    @endif
                </div>
            @empty
                <p class="text-sm text-base/80 mt-2">{{ __('dns::dns.no_history') }}</p>
            @endforelse
        </section>
    @endif
</div>
