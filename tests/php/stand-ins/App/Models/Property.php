<?php

namespace App\Models;

/** The rows of all services in `$services`, oldest service first. */
class Property
{
    /** @var list<Service> */
    public static array $services = [];

    private string $pattern = '%';

    public static function where(string $column, string $operator, string $pattern): self
    {
        $query = new self;
        $query->pattern = $pattern;

        return $query;
    }

    public function orderBy(string $column): self
    {
        return $this;
    }

    /** @return list<object{key: string, value: string, model: Service}> */
    public function get(): array
    {
        $like = '/\A'.strtr(preg_quote($this->pattern, '/'), ['%' => '.*', '_' => '.']).'\z/s';
        $found = [];
        foreach (self::$services as $service) {
            foreach ($service->properties()->rows as $key => $row) {
                if (preg_match($like, $key)) {
                    $found[] = (object) ['key' => $key, 'value' => $row['value'], 'model' => $service];
                }
            }
        }

        return $found;
    }
}
