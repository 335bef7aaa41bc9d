<?php

namespace Paymenter\Extensions\Others\DNS;

/**
 * What becomes of one line of a zone file.
 */
final class Line
{
    private const ACTS = ['add', 'change', 'delete', 'keep', 'refuse'];

    /**
     * @param  string  $act  add, change, delete, keep, refuse, or unknown
     * @param  int  $number  of the line in the file; 0: it is in none
     * @param  string  $text  the record, or what stands in the line
     * @param  string  $reason  a sentence, or empty
     */
    private function __construct(
        public readonly string $act,
        public readonly int $number,
        public readonly string $text,
        public readonly string $reason,
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
        $text = fn (string $field) => is_scalar($item[$field] ?? null) ? mb_scrub((string) $item[$field], 'UTF-8') : '';
        $record = is_array($item['record'] ?? null) ? Record::from($item['record'])->line() : '';

        return new self(in_array($text('act'), self::ACTS, true) ? $text('act') : 'unknown', (int) $text('line'), $record ?: $text('text'),
            $text('reason'));
    }
}
