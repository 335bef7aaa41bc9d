<?php

namespace Livewire;

class Livewire
{
    /** @var array<string, class-string> */
    public static array $components = [];

    public static function component($name, $class = null)
    {
        self::$components[$name] = $class;
    }
}
