{{-- What is wrong with a zone, where the backend knows. --}}
@if ($of->problem !== '')
    <p class="text-sm bg-warning/20 border border-neutral p-4 rounded-lg break-words" role="status">{{ $of->problem }}</p>
@elseif ($of->isPublished === false && $of->status === 'active')
    <p class="text-sm bg-warning/20 border border-neutral p-4 rounded-lg" role="status">{{ __('dns::dns.not_published') }}</p>
@endif
