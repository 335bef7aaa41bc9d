<?php

// A copy of extensions/shared/Secrets.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\SSupport\Api;

/**
 * Secrets in Paymenter's database. Paymenter stores the settings of a newly created server in clear, whatever their schema says
 * (its App\Admin\Resources\ServerResource\Pages\CreateServer), and its audit of that (`audits`, event `created`) keeps the
 * values: App\Models\Setting has them masked only where the setting is encrypted at that moment. `enabled()`, which it calls right
 * after the creation, and `updated()` use this to make up for both.
 */
final class Secrets
{
    /** Stands for a secret in the audit. It says nothing about the secret, not even its length. */
    private const MASK = '########';

    /**
     * Encrypts the stored values of all settings that the schema calls `encrypted`, and masks them in the audit. Repeating it
     * changes nothing.
     *
     * @param  object  $row  the server's or extension's row (`App\Models\Extension`), whose `settings()` are `Setting` rows:
     *                       saving one with `encrypted` set encrypts its value, and its `audits()` are what was recorded of it
     * @param  list<array<string, mixed>>  $schema  what `getConfig()` returns
     */
    public static function protect(object $row, array $schema): void
    {
        $secret = array_column(array_filter($schema, fn (array $field) => $field['encrypted'] ?? false), 'name');
        foreach ($row->settings()->whereIn('key', $secret)->get() as $setting) {
            if (! $setting->encrypted && (string) $setting->value !== '') {
                $setting->encrypted = true;
                $setting->save();
            }
            // Afterwards, since saving is recorded as well. Nothing is skipped as masked already: Paymenter's own mask shows the
            // first tenth of a value, and its length.
            foreach ($setting->audits()->get() as $audit) {
                self::mask($audit);
            }
        }
    }

    private static function mask(object $audit): void
    {
        foreach (['old_values', 'new_values'] as $column) {
            $values = $audit->{$column};
            if (is_array($values) && (string) ($values['value'] ?? '') !== '') {
                $audit->{$column} = array_replace($values, ['value' => self::MASK]);
            }
        }
        if ($audit->isDirty()) {
            $audit->save();
        }
    }
}
