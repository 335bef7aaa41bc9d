<?php

namespace App\Models;

/** A notification in Paymenter itself. */
class Notification
{
    /** @var list<array<string, mixed>> */
    public static array $table = [];

    public static function create(array $attributes): void
    {
        self::$table[] = $attributes;
    }
}
