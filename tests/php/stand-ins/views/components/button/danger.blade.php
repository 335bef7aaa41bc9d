<button {{ $attributes->merge(['class' => 'danger']) }}>{{ $slot }}</button>
