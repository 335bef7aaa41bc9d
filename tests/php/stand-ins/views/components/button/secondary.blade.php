<button {{ $attributes->merge(['class' => 'secondary']) }}>{{ $slot }}</button>
