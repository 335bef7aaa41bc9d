<button {{ $attributes->merge(['class' => 'primary']) }}>{{ $slot }}</button>
