<span class="text-xs font-semibold px-2 py-0.5 rounded-md
    @if ($status === 'active') bg-success/20
    @elseif ($status === 'creating') bg-info/20
    @elseif ($status === 'deleting') bg-inactive/20
    @else bg-warning/20 @endif">
    {{ in_array($status, ['active', 'creating', 'deleting', 'inactive'], true) ? __('dns::dns.statuses.'.$status) : $status }}
</span>
