{{-- A table on a wide screen, and a list of cards on a narrow one. The roles stay what they are when a table's parts are shown as blocks. --}}
<style>
    [data-dns-records] td:first-child { min-width: 10rem }
    @media (max-width: 767px) {
        [data-dns-records] thead { display: none }
        [data-dns-records] table, [data-dns-records] tbody, [data-dns-records] tr, [data-dns-records] td { display: block }
        [data-dns-records] tr { padding: 0.75rem 1rem }
        [data-dns-records] td { padding: 0.125rem 0 }
        [data-dns-records] td::before { content: attr(data-label); margin-right: 0.5rem; opacity: 0.7 }
        [data-dns-records] td:last-child { padding-top: 0.5rem }
        [data-dns-records] td:last-child::before, [data-dns-records] td[colspan]::before { content: none }
    }
</style>
<div data-dns-records class="bg-background-secondary border border-neutral rounded-lg">
    <table class="w-full" role="table">
        <thead role="rowgroup">
            <tr role="row">
                @foreach ([__('dns::dns.name'), __('dns::dns.type'), __('dns::dns.content'), __('dns::dns.ttl'), __('dns::dns.actions')] as $column)
                    <th scope="col" role="columnheader" class="p-4 text-xs font-semibold tracking-wider text-left uppercase">{{ $column }}</th>
                @endforeach
            </tr>
        </thead>
        <tbody role="rowgroup">
            @forelse ($found->records as $record)
                @php
                    $which = ['name' => $record->within($found->name), 'type' => $record->type];
                @endphp
                <tr wire:key="record-{{ $record->id }}" role="row" class="border-t border-neutral">
                    <td role="cell" data-label="{{ __('dns::dns.name') }}" class="p-4 text-sm font-medium" style="overflow-wrap: anywhere">{{ $which['name'] }}</td>
                    <td role="cell" data-label="{{ __('dns::dns.type') }}" class="p-4 text-sm whitespace-nowrap">{{ $record->type }}</td>
                    <td role="cell" data-label="{{ __('dns::dns.content') }}" class="p-4 text-sm" style="overflow-wrap: anywhere">
                        @if ($record->priority !== null)
                            <span class="text-base/70">{{ $record->priority }}</span>
                        @endif
                        {{ $settings->shown($record) }}
                        @if (! $record->active)
                            <span class="bg-warning/20 px-2 rounded-md">{{ __('dns::dns.record_inactive') }}</span>
                        @endif
                    </td>
                    <td role="cell" data-label="{{ __('dns::dns.ttl') }}" class="p-4 text-sm whitespace-nowrap">{{ $record->ttl }}</td>
                    <td role="cell" data-label="{{ __('dns::dns.actions') }}" class="p-4 text-sm whitespace-nowrap">
                        @if ($record->id === '' || $record->isProtected($found->name))
                            <span class="text-base/70">{{ __('dns::dns.ours') }}</span>
                        @elseif ($found->status !== 'deleting')
                            <div class="flex flex-row gap-3">
                                <button type="button" class="cursor-pointer hover:underline p-1" wire:click="edit('{{ $record->id }}')"
                                    x-on:click="document.getElementById('record-form').scrollIntoView({ behavior: 'smooth' })"
                                    aria-label="{{ __('dns::dns.edit_of', $which) }}" title="{{ __('dns::dns.edit') }}">
                                    <x-ri-edit-line class="size-5" aria-hidden="true" />
                                </button>
                                <button type="button" class="cursor-pointer hover:text-error p-1" wire:click="deleteRecord('{{ $record->id }}')"
                                    wire:confirm="{{ __('dns::dns.confirm_record', $which) }}"
                                    aria-label="{{ __('dns::dns.delete_record', $which) }}" title="{{ __('dns::dns.delete') }}">
                                    <x-ri-delete-bin-line class="size-5" aria-hidden="true" />
                                </button>
                            </div>
                        @endif
                    </td>
                </tr>
            @empty
                <tr role="row">
                    <td role="cell" colspan="5" class="p-4 text-sm text-base/70">{{ __('dns::dns.no_records') }}</td>
                </tr>
            @endforelse
        </tbody>
    </table>
</div>
