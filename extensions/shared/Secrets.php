<?php

namespace Paymenter\Extensions\Shared;

/**
 * Paymenter stores the settings of a newly created server in clear, whatever their schema says; only its edit
 * page encrypts them. `enabled()`, which it calls right after the creation, uses this to make up for it.
 */
final class Secrets
{
    /**
     * Encrypts the stored values of all settings that the schema calls `encrypted`. Repeating it changes
     * nothing.
     *
     * @param  object  $row  the server's or extension's row (`App\Models\Extension`), whose `settings()` are `Setting` rows:
     *                       saving one with `encrypted` set encrypts its value
     * @param  list<array<string, mixed>>  $schema  what `getConfig()` returns
     */
    public static function encrypt(object $row, array $schema): void
    {
        $secret = array_column(array_filter($schema, fn (array $field) => $field['encrypted'] ?? false), 'name');
        foreach ($row->settings()->whereIn('key', $secret)->get() as $setting) {
            if (! $setting->encrypted && (string) $setting->value !== '') {
                $setting->encrypted = true;
                $setting->save();
            }
        }
    }
}
