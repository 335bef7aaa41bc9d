<?php

namespace Paymenter\Extensions\Others\DNS;

/**
 * A customer's zone with its records.
 */
final class Zone
{
    /**
     * @param  string  $name  without a dot at its end
     * @param  string  $status  creating, active, inactive or deleting
     * @param  list<string>  $nameservers
     * @param  list<Record>  $records
     */
    public function __construct(
        public readonly string $id,
        public readonly string $name,
        public readonly string $status,
        public readonly array $nameservers,
        public readonly array $records,
    ) {}

    /** @param  array<string, mixed>  $answer  as the backend writes it */
    public static function from(array $answer): self
    {
        $text = fn (string $field) => is_scalar($answer[$field] ?? null) ? (string) $answer[$field] : '';
        $list = fn (string $field) => is_array($answer[$field] ?? null) ? array_values($answer[$field]) : [];
        $records = array_map(Record::from(...), array_filter($list('records'), 'is_array'));
        usort($records, fn (Record $one, Record $other) => [$one->within($text('name')) !== '@', $one->name, $one->type]
            <=> [$other->within($text('name')) !== '@', $other->name, $other->type]);

        return new self(Record::id($answer['id'] ?? null), $text('name'), $text('status'), array_filter($list('nameservers'), 'is_string'), $records);
    }

    /** Whether it is still being made or deleted. */
    public function isChanging(): bool
    {
        return in_array($this->status, ['creating', 'deleting'], true);
    }

    public function record(string $id): ?Record
    {
        foreach ($this->records as $record) {
            if ($record->id === $id) {
                return $record;
            }
        }

        return null;
    }
}
