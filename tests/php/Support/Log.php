<?php

namespace Tests\Support;

/** What was written to the log, and which exceptions were reported. */
final class Log
{
    /** @var list<\Throwable> */
    public static array $reported = [];

    /** @var list<array{string, array}> */
    public static array $lines = [];

    public static function clear(): void
    {
        self::$reported = self::$lines = [];
    }

    public function warning(string $message, array $context = []): void
    {
        self::$lines[] = [$message, $context];
    }
}
