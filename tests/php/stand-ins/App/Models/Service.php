<?php

namespace App\Models;

use Illuminate\Support\Carbon;

/** A service as far as hooks and panels read it; the original is an Eloquent model. */
class Service
{
    public const STATUS_PENDING = 'pending';

    public const STATUS_ACTIVE = 'active';

    public const STATUS_CANCELLED = 'cancelled';

    public const STATUS_SUSPENDED = 'suspended';

    public $status = self::STATUS_ACTIVE;

    public ?Carbon $created_at;

    public ?Carbon $updated_at;

    public ?Carbon $expires_at = null;

    public object $user;

    public object $product;

    public ?\Closure $refreshed = null;

    private Properties $properties;

    public function __construct(public int $id, string $email = 'jane.doe@example.com', array $settings = ['plan' => 'basic'])
    {
        $this->created_at = Carbon::createFromTimestamp(1_780_000_000 + $id);
        $this->updated_at = Carbon::now();
        $this->user = (object) ['id' => 1, 'first_name' => null, 'last_name' => null, 'email' => $email];
        $this->product = (object) ['name' => 'WordPress', 'settings' => $settings,
            'server' => (object) ['id' => 1, 'extension' => 'ProxmoxWP']];
        $this->properties = new Properties;
    }

    /** Reads the row again; there is none. A test that sets `$refreshed` does then what another process would have done. */
    public function refresh(): static
    {
        if ($this->refreshed !== null) {
            ($this->refreshed)($this);
        }

        return $this;
    }

    /** @var list<string> what the last save has changed */
    public array $changed = [];

    public function wasChanged($attribute): bool
    {
        return in_array($attribute, $this->changed, true);
    }

    public function properties(): Properties
    {
        return $this->properties;
    }

    /** What Paymenter hands to hooks as `$properties`. */
    public function propertiesByKey(): array
    {
        return array_map(fn ($row) => $row['value'], $this->properties->rows);
    }
}
