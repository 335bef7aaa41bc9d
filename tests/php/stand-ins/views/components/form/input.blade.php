@props(['name', 'label' => null, 'required' => false, 'type' => null, 'placeholder' => null])
<label for="{{ $name }}">{{ $label }}</label>
<input type="{{ $type ?? 'text' }}" id="{{ $name }}" name="{{ $name }}" placeholder="{{ $placeholder ?? ($label ?? '') }}"
    {{ $attributes->except(['label', 'name', 'type', 'required']) }} />
@error($name)
    <p class="text-red-500 text-xs">{{ $message }}</p>
@enderror
