@props(['name', 'label' => null, 'required' => false])
<label for="{{ $name }}">{{ $label }}</label>
<select id="{{ $name }}" {{ $attributes }} name="{{ $name }}">{{ $slot }}</select>
@error($name)
    <p class="text-red-500 text-xs">{{ $message }}</p>
@enderror
