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
     * @param  bool|null  $isPublished  whether the name servers answer with it as it stands here; null: not known
     * @param  string  $problem  a sentence about what is wrong with it; empty: nothing
     */
    public function __construct(
        public readonly string $id,
        public readonly string $name,
        public readonly string $status,
        public readonly array $nameservers,
        public readonly array $records,
        public readonly ?bool $isPublished,
        public readonly string $problem,
    ) {}

    /** @param  array<string, mixed>  $answer  as the backend writes it */
    public static function from(array $answer): self
    {
        $text = fn (string $field) => is_scalar($answer[$field] ?? null) ? (string) $answer[$field] : '';
        $list = fn (string $field) => is_array($answer[$field] ?? null) ? array_values($answer[$field]) : [];
        $records = array_map(Record::from(...), array_filter($list('records'), 'is_array'));
        usort($records, fn (Record $one, Record $other) => [$one->within($text('name')) !== '@', $one->name, $one->type]
            <=> [$other->within($text('name')) !== '@', $other->name, $other->type]);

        return new self(Record::id($answer['id'] ?? null), $text('name'), $text('status'), array_filter($list('nameservers'), 'is_string'), $records,
            is_bool($answer['published'] ?? null) ? $answer['published'] : null, $text('problem'));
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
