<?php

namespace Paymenter\Extensions\Others\DNS;

/**
 * A change of a record that was made.
 */
final class Past
{
    private const BY = ['api', 'staff', 'system', 'found'];

    /**
     * @param  string  $act  add, change, delete, or unknown
     * @param  string  $at  when, in words; empty: not known
     * @param  string  $by  api, staff, system, found, or unknown
     * @param  string  $before  the record; empty: there was none
     * @param  string  $after  likewise
     */
    private function __construct(
        public readonly string $id,
        public readonly string $act,
        public readonly string $at,
        public readonly string $by,
        public readonly string $before,
        public readonly string $after,
    ) {}

    /**
     * @param  array<string, mixed>  $answer  as the backend writes it
     * @return list<self>
     */
    public static function all(array $answer): array
    {
        $items = is_array($answer['changes'] ?? null) ? array_filter($answer['changes'], 'is_array') : [];

        return array_map(self::from(...), array_values($items));
    }

    private static function from(array $item): self
    {
        $word = fn (string $field, array $words) => in_array($item[$field] ?? null, $words, true) ? $item[$field] : 'unknown';
        $record = fn (string $field) => is_array($item[$field] ?? null) ? Record::from($item[$field])->line() : '';
        $at = is_string($item['at'] ?? null) && preg_match('/^\d{4}-\d\d-\d\dT\d\d:\d\d/', $item['at']) ? strtotime($item['at']) : false;

        return new self(Record::id($item['id'] ?? null), $word('act', ['add', 'change', 'delete']), $at === false ? '' : gmdate('Y-m-d H:i', $at).' UTC',
            $word('by', self::BY), $record('before'), $record('after'));
    }
}
