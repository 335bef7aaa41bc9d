<span class="text-xs font-semibold px-2 py-0.5 rounded-md
    @if ($status === 'active') text-success bg-success/20
    @elseif ($status === 'creating') text-info bg-info/20
    @elseif ($status === 'deleting') text-inactive bg-inactive/20
    @else text-warning bg-warning/20 @endif">
    {{ in_array($status, ['active', 'creating', 'deleting', 'inactive'], true) ? __('dns::dns.statuses.'.$status) : $status }}
</span>
