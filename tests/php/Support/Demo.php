<?php

namespace Tests\Support;

use Paymenter\Extensions\Shared\Client;
use RuntimeException;

/** The NodePoint that `script/php` has started, with its simulated infrastructure. */
final class Demo
{
    public static function url(): string
    {
        return self::fact('url');
    }

    public static function token(): string
    {
        return self::fact('token');
    }

    public static function client(float $timeout = 25): Client
    {
        return new Client(self::url(), self::token(), $timeout);
    }

    /** A POST to the lab's control calls, such as `/_lab/dns`; their answer. */
    public static function lab(string $path, array $body, string $method = 'POST'): array
    {
        $context = stream_context_create(['http' => ['method' => $method, 'header' => 'Content-Type: application/json',
            'content' => json_encode($body)]]);
        $answer = file_get_contents(self::fact('lab_url').$path, false, $context);

        return json_decode((string) $answer, true) ?? [];
    }

    /**
     * Asks until it is so.
     *
     * @param  callable(): mixed  $look
     * @return mixed what `look` gave
     */
    public static function until(callable $look, string $what, float $seconds = 30): mixed
    {
        for ($end = microtime(true) + $seconds; microtime(true) < $end; usleep(100_000)) {
            if ($found = $look()) {
                return $found;
            }
        }

        throw new RuntimeException("After $seconds s still not: $what");
    }

    private static function fact(string $name): string
    {
        static $facts = null;
        $facts ??= json_decode((string) file_get_contents((string) getenv('NODEPOINT_DEMO')), true);

        return $facts[$name] ?? throw new RuntimeException('NODEPOINT_DEMO does not name the demo.json of a running demo.');
    }
}
