<?php

namespace App\Models;

use Illuminate\Support\Collection;

/** An extension's row, found by `where`; its settings are decrypted when they are read as models. */
class Extension
{
    /** @var list<self> the rows of the table */
    public static array $table = [];

    private static array $wanted = [];

    /** @var Collection<int, Setting> */
    public Collection $settings;

    public function __construct(public string $extension, public string $type, public bool $enabled, array $settings = [])
    {
        $this->settings = (new Collection($settings))->map(fn ($value, $key) => new Setting($key, $value, $key === 'api_key'))->values();
    }

    public static function where($column, $value): static
    {
        self::$wanted[$column] = $value;

        return new static('', '', false);
    }

    public function first(): ?self
    {
        [$wanted, self::$wanted] = [self::$wanted, []];
        foreach (self::$table as $row) {
            if (array_filter($wanted, fn ($value, $column) => $row->$column !== $value, ARRAY_FILTER_USE_BOTH) === []) {
                return $row;
            }
        }

        return null;
    }

    public function settings(): object
    {
        return new class($this->settings)
        {
            public function __construct(private Collection $rows) {}

            /**
             * Models: the values are decrypted. (`pluck` of the original, without `get`, would give them as
             * they are stored.)
             */
            public function get(): Collection
            {
                return $this->rows;
            }

            public function whereIn(string $column, array $keys): static
            {
                return new static($this->rows->filter(fn ($row) => in_array($row->$column, $keys, true))->values());
            }
        };
    }
}
