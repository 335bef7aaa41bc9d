<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use DateTimeImmutable;

/**
 * Reads fields out of an answer without trusting its shape: what is missing or of another type is empty, so
 * that a view never breaks on it.
 */
final class Field
{
    /** A text, also where a number came; '' for anything else. */
    public static function text(array $from, string $key): string
    {
        $value = $from[$key] ?? null;

        return is_string($value) || is_int($value) || is_float($value) ? mb_scrub((string) $value, 'UTF-8') : '';
    }

    /**
     * One of the words that have a text in the language files, else `unknown`, which all of them have.
     *
     * @param  list<string>  $words
     */
    public static function word(array $from, string $key, array $words): string
    {
        $word = self::text($from, $key);

        return in_array($word, $words, true) ? $word : 'unknown';
    }

    /** A whole number of at least 0. */
    public static function number(array $from, string $key): int
    {
        $value = $from[$key] ?? null;

        return is_numeric($value) ? max(0, (int) $value) : 0;
    }

    /** An object's fields. */
    public static function map(array $from, string $key): array
    {
        return is_array($from[$key] ?? null) ? $from[$key] : [];
    }

    /** An address that a browser may follow: nothing but http and https; else ''. */
    public static function link(string $url): string
    {
        return preg_match('~^https?://~i', $url) ? $url : '';
    }

    /** A moment of the API's in seconds since 1970; 0 for anything else. */
    public static function moment(string $text): int
    {
        $time = DateTimeImmutable::createFromFormat('Y-m-d\TH:i:s+', $text) ? strtotime($text) : false;

        return $time === false ? 0 : $time;
    }

    /**
     * A list of objects.
     *
     * @return list<array<string, mixed>>
     */
    public static function maps(array $from, string $key): array
    {
        return array_values(array_filter(self::map($from, $key), 'is_array'));
    }
}
