<?php

namespace App\Models;

/** A row of Laravel's failed jobs. */
class FailedJob
{
    /** @var list<self> */
    public static array $table = [];

    public function __construct(public string $payload) {}

    /** What Laravel stores for one of Paymenter's jobs. */
    public static function of(string $job, int $serviceId): self
    {
        $class = "App\\Jobs\\Server\\$job";
        $command = 'O:'.strlen($class).":\"$class\":1:{s:7:\"service\";O:45:\"Illuminate\\Contracts\\Database\\ModelIdentifier\":4:"
            ."{s:5:\"class\";s:18:\"App\\Models\\Service\";s:2:\"id\";i:$serviceId;s:9:\"relations\";a:0:{}s:10:\"connection\";s:5:\"mysql\";}}";
        $row = new self(json_encode(['displayName' => $class, 'data' => ['commandName' => $class, 'command' => $command]]));

        return self::$table[] = $row;
    }

    public static function where(string $column, string $operator, string $pattern): object
    {
        return new class(trim($pattern, '%'))
        {
            public function __construct(private string $part) {}

            /** @return list<FailedJob> LIKE does not look at the case of letters */
            public function get(): array
            {
                return array_values(array_filter(FailedJob::$table, fn ($row) => stripos($row->payload, $this->part) !== false));
            }
        };
    }

    public function delete(): void
    {
        self::$table = array_values(array_filter(self::$table, fn ($row) => $row !== $this));
    }
}
