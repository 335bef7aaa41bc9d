@props(['name', 'label' => null, 'required' => false])
<label for="{{ $name }}">{{ $label }}</label>
<textarea id="{{ $name }}" name="{{ $name }}" {{ $attributes->except(['label', 'name', 'required']) }}>{{ $slot }}</textarea>
@error($name)
    <p class="text-red-500 text-xs">{{ $message }}</p>
@enderror
