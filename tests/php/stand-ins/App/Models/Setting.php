<?php

namespace App\Models;

/** A setting's row: saving it with `encrypted` set encrypts the value, as Paymenter's `saving` event does. */
class Setting
{
    public int $saved = 0;

    public function __construct(public string $key, public ?string $value, public bool $encrypted = false) {}

    public function save(): bool
    {
        $this->saved++;
        if ($this->encrypted) {
            $this->value = 'encrypted:'.base64_encode((string) $this->value);
        }

        return true;
    }

    /** What was recorded of it; tests/php/SecretsTest.php has the real tables. */
    public function audits(): object
    {
        return new class
        {
            public function get(): array
            {
                return [];
            }
        };
    }
}
