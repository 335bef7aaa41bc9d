<div class="bg-background-secondary border border-neutral rounded-lg overflow-x-auto">
    <table class="w-full">
        <thead>
            <tr>
                @foreach ([__('dns::dns.name'), __('dns::dns.type'), __('dns::dns.content'), __('dns::dns.ttl'), __('dns::dns.actions')] as $column)
                    <th scope="col" class="p-4 text-xs font-semibold tracking-wider text-left uppercase">{{ $column }}</th>
                @endforeach
            </tr>
        </thead>
        <tbody>
            @forelse ($found->records as $record)
                <tr wire:key="record-{{ $record->id }}" class="border-t border-neutral">
                    <td class="p-4 text-sm font-medium" style="overflow-wrap: anywhere; min-width: 7rem">{{ $record->within($found->name) }}</td>
                    <td class="p-4 text-sm whitespace-nowrap">{{ $record->type }}</td>
                    <td class="p-4 text-sm" style="overflow-wrap: anywhere; min-width: 14rem">
                        @if ($record->priority !== null)
                            <span class="text-base/50">{{ $record->priority }}</span>
                        @endif
                        {{ $settings->shown($record) }}
                        @if (! $record->active)
                            <span class="text-warning">({{ __('dns::dns.record_inactive') }})</span>
                        @endif
                    </td>
                    <td class="p-4 text-sm whitespace-nowrap">{{ $record->ttl }}</td>
                    <td class="p-4 text-sm whitespace-nowrap">
                        @if ($record->id === '' || $record->isProtected($found->name))
                            <span class="text-base/50">{{ __('dns::dns.ours') }}</span>
                        @elseif ($found->status !== 'deleting')
                            <div class="flex flex-row gap-3">
                                <button type="button" class="cursor-pointer hover:text-primary" wire:click="edit('{{ $record->id }}')"
                                    x-on:click="document.getElementById('record-form').scrollIntoView({ behavior: 'smooth' })"
                                    aria-label="{{ __('dns::dns.edit') }}" title="{{ __('dns::dns.edit') }}">
                                    <x-ri-edit-line class="size-5" />
                                </button>
                                <button type="button" class="cursor-pointer hover:text-error" wire:click="deleteRecord('{{ $record->id }}')"
                                    wire:confirm="{{ __('dns::dns.confirm_record', ['name' => $record->within($found->name), 'type' => $record->type]) }}"
                                    aria-label="{{ __('dns::dns.delete') }}" title="{{ __('dns::dns.delete') }}">
                                    <x-ri-delete-bin-line class="size-5" />
                                </button>
                            </div>
                        @endif
                    </td>
                </tr>
            @empty
                <tr>
                    <td colspan="5" class="p-4 text-sm text-base/50">{{ __('dns::dns.no_records') }}</td>
                </tr>
            @endforelse
        </tbody>
    </table>
</div>
