<?php

namespace App\Models;

use TypeError;

/** The relation `properties()` of a service. */
class Properties
{
    /** @var array<string, array{name: ?string, value: string}> */
    public array $rows = [];

    public function updateOrCreate(array $attributes, array $values = []): void
    {
        // The column is text and not null.
        if (! is_string($values['value'] ?? null)) {
            throw new TypeError('properties.value cannot be null');
        }
        $this->rows[$attributes['key']] = $values;
    }

    /** A query, which can only be read and deleted. */
    public function where(string $column, string $key): object
    {
        return new class($this, $key)
        {
            public function __construct(private Properties $all, private string $key) {}

            public function first(): ?object
            {
                return isset($this->all->rows[$this->key]) ? (object) ($this->all->rows[$this->key] + ['key' => $this->key]) : null;
            }

            public function delete(): void
            {
                unset($this->all->rows[$this->key]);
            }
        };
    }
}
