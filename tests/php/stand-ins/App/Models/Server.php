<?php

namespace App\Models;

/** A server's row with its settings. */
class Server
{
    /** @var list<Setting> */
    public array $rows;

    private array $keys = [];

    public function __construct(Setting ...$rows)
    {
        $this->rows = $rows;
    }

    public function settings(): self
    {
        return clone $this;
    }

    public function whereIn(string $column, array $keys): self
    {
        $this->keys = $keys;

        return $this;
    }

    /** @return list<Setting> */
    public function get(): array
    {
        return array_values(array_filter($this->rows, fn (Setting $row) => in_array($row->key, $this->keys, true)));
    }
}
