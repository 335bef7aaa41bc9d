<?php

namespace Tests\Support;

use RuntimeException;

/** A server that answers wrongly; see odd_server.py for the ways. One for all tests; it ends with PHPUnit. */
final class OddServer
{
    private static ?int $port = null;

    /** @var list<mixed> the process and its pipes, held as long as the server shall live */
    private static array $held = [];

    /** The address of an API that behaves in this way. */
    public static function way(string $way): string
    {
        return 'http://127.0.0.1:'.self::port()."/$way";
    }

    private static function port(): int
    {
        if (self::$port === null) {
            $python = getenv('PYTHON') ?: 'python3';
            $process = proc_open([$python, dirname(__DIR__).'/odd_server.py'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
            self::$port = $process ? (int) fgets($pipes[1]) : 0;
            self::$held = [$process, $pipes];
        }

        return self::$port ?: throw new RuntimeException('The odd server did not start.');
    }
}
