<?php

namespace Paymenter\Extensions\Others\DNS;

/**
 * A record of a zone, with whole names that end in a dot.
 */
final class Record
{
    public const TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'TXT', 'SRV', 'CAA', 'TLSA', 'SSHFP'];

    /** Those that begin with a priority, which is kept apart. */
    public const PRIORITISED = ['MX', 'SRV'];

    /**
     * @param  int  $ttl  seconds
     * @param  int|null  $priority  of an MX or SRV
     */
    public function __construct(
        public readonly string $id,
        public readonly string $type,
        public readonly string $name,
        public readonly string $data,
        public readonly int $ttl,
        public readonly ?int $priority,
        public readonly bool $active,
    ) {}

    /** @param  array<string, mixed>  $answer  as the backend writes it; what is missing or no text becomes empty */
    public static function from(array $answer): self
    {
        $text = fn (string $field) => is_scalar($answer[$field] ?? null) ? (string) $answer[$field] : '';
        $priority = $answer['priority'] ?? null;

        return new self(self::id($answer['id'] ?? null), strtoupper($text('type')), $text('name'), $text('data'), (int) $text('ttl'),
            is_numeric($priority) ? (int) $priority : null, $text('active') === 'y');
    }

    /** An id as the backend makes them; empty for anything else, since ids stand in pages' scripts. */
    public static function id(mixed $value): string
    {
        return is_scalar($value) && preg_match('/\A[0-9]{1,18}\z/', (string) $value) ? (string) $value : '';
    }

    /** The name within its zone: `@` for the zone's own. */
    public function within(string $zone): string
    {
        $name = rtrim($this->name, '.');

        return match (true) {
            $name === $zone => '@',
            str_ends_with($name, ".$zone") => substr($name, 0, -strlen(".$zone")),
            default => $this->name,
        };
    }

    /** In one line, as a zone file has it. */
    public function line(): string
    {
        $parts = [$this->name, $this->ttl > 0 ? (string) $this->ttl : '', $this->type, $this->priority === null ? '' : (string) $this->priority, $this->data];

        return mb_scrub(implode(' ', array_filter($parts, fn (string $part) => $part !== '')), 'UTF-8');
    }

    /** Whether it is the platform's: the backend refuses to change it. */
    public function isProtected(string $zone): bool
    {
        return ! in_array($this->type, self::TYPES, true) || ($this->type === 'NS' && $this->within($zone) === '@');
    }
}
