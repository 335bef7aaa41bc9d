<?php

namespace Tests\Support\Paymenter;

use Illuminate\Database\Eloquent\Model;

/**
 * A setting as Paymenter's `App\Models\Setting` behaves: encrypted when it is saved, decrypted when it is read, and recorded after each
 * change, masked only if it is encrypted by then, and then so that its first tenth and its length can be seen.
 */
class Setting extends Model
{
    protected $guarded = [];

    protected $casts = ['encrypted' => 'boolean'];

    protected static function booted(): void
    {
        static::saving(function (self $setting) {
            if ($setting->encrypted) {
                $setting->value = 'encrypted:'.base64_encode((string) $setting->value);
            }
        });
        static::retrieved(function (self $setting) {
            $setting->value = self::clear($setting->value);
        });
        static::created(fn (self $setting) => $setting->record('created', [], $setting->getAttributes()));
        static::updated(fn (self $setting) => $setting->record('updated', array_intersect_key($setting->getOriginal(), $setting->getChanges()),
            $setting->getChanges()));
    }

    public function audits()
    {
        return $this->morphMany(Audit::class, 'auditable');
    }

    private function record(string $event, array $old, array $new): void
    {
        foreach ([&$old, &$new] as &$values) {
            if ($this->encrypted && isset($values['value'])) {
                $clear = self::clear($values['value']);
                $values['value'] = str_pad(substr($clear, 0, (int) ceil(strlen($clear) / 10)), strlen($clear), '#');
            }
        }
        $this->audits()->create(['event' => $event, 'old_values' => $old, 'new_values' => $new]);
    }

    private static function clear(?string $value): ?string
    {
        return str_starts_with((string) $value, 'encrypted:') ? base64_decode(substr($value, 10)) : $value;
    }
}
