<svg {{ $attributes }}></svg>
