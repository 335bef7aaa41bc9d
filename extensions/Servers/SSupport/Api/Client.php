<?php

// A copy of extensions/shared/Client.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\SSupport\Api;

use GuzzleHttp\Exception\GuzzleException;
use Illuminate\Http\Client\ConnectionException;
use Illuminate\Http\Client\Factory;
use Illuminate\Http\Client\Response;
use Illuminate\Support\Facades\Http;

/**
 * NodePoint's HTTP API, as its Paymenter extensions call it.
 *
 * This folder is the one source. `script/extensions` writes a copy into each extension's own `Api/` folder
 * and replaces the namespace, since each extension must work alone when it is copied or uploaded. Never edit
 * a copy.
 *
 *     $client = new Client($base, $token);                    // seconds: 25 for the whole call, 3 for the connection
 *     $client->get('/status', ['service_id' => '17']);        // the answer's JSON object as an array
 *     $client->post('/suspend', ['service_id' => '17'], ['Idempotency-Key' => '…']);
 *     $client->within(3)->get('/plans');                      // the same client, with less patience
 *     $client->read('/status', ['service_id' => '17']);       // a GET, asked again while the backend restarts
 *     $client->insist('/suspend', ['service_id' => '17']);    // for hooks: a POST, asked again in the same way
 *
 * - Whatever is not a 2xx answer with `{"success": true, …}` is an ApiException, whose message is one plain sentence
 *   (`ErrorText`) and whose `errorCode` tells programs why. Nothing else is thrown, by the constructor either.
 * - The backend is *away* when nobody listens, the connection breaks, a proxy in front of it answers 502, 503 or 504 with a page
 *   of its own or with nothing, or it says itself that its database or queue is away.
 * - Redirects are refused, not followed: a redirected POST would arrive as a GET without its body.
 * - Bodies are JSON objects; text that is not UTF-8 is repaired, not refused.
 * - Nothing is escaped here: what comes back is hostile text for the views to escape.
 *
 * It runs on Laravel 8's HTTP client as well as on Laravel 12's, therefore `withOptions` instead of
 * `connectTimeout`.
 */
final class Client
{
    private const JSON = JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES;

    private string $base;

    private string $token;

    /** Laravel's HTTP client to use instead of the application's. */
    private ?Factory $http = null;

    /**
     * @param  string|null  $base  address of the API, with or without a slash at its end
     * @param  string|null  $token  the bearer token
     * @param  float  $timeout  seconds for a whole call, its connection included
     * @param  float  $connectTimeout  seconds for the connection
     *
     * @throws ApiException `settings`: the address or the token cannot be right
     */
    public function __construct(
        ?string $base,
        ?string $token,
        private float $timeout = 25,
        private float $connectTimeout = 3,
    ) {
        $this->base = rtrim(trim((string) $base), '/');
        $this->token = trim((string) $token);
        $isAddress = preg_match('~^https?://[^\s/?#@\\\\]+(/[^\s?#]*)?$~i', $this->base);
        if (! $isAddress || ! parse_url($this->base, PHP_URL_HOST)) {
            $sentence = 'The address of the backend must begin with http:// or https:// and name a host.';

            throw new ApiException($sentence, 'settings');
        }
        if (! preg_match('/^[\x21-\x7e]+$/', $this->token)) {
            throw new ApiException('The API key is missing, or holds characters that no key has.', 'settings');
        }
    }

    /**
     * The same client with another time for a whole call; at least a tenth of a second, since 0 would be for
     * ever.
     */
    public function within(float $seconds): self
    {
        $seconds = max(0.1, $seconds);

        $client = clone $this;
        $client->timeout = $seconds;
        $client->connectTimeout = min($this->connectTimeout, $seconds);

        return $client;
    }

    /**
     * @param  string  $path  with its leading slash
     * @param  array<string, scalar>  $query
     * @return array<string, mixed> the answer's object
     *
     * @throws ApiException
     */
    public function get(string $path, array $query = []): array
    {
        return $this->call('GET', $path, $query === [] ? [] : ['query' => $query], []);
    }

    /**
     * @param  array<string, mixed>  $body
     * @param  array<string, string>  $headers  e.g. `Idempotency-Key`, `Prefer`
     * @return array<string, mixed> the answer's object
     *
     * @throws ApiException
     */
    public function post(string $path, array $body = [], array $headers = []): array
    {
        return $this->call('POST', $path, ['body' => json_encode((object) $body, self::JSON)], $headers);
    }

    /**
     * A GET that is asked again, after a second each time, while the backend is away.
     *
     * @param  array<string, scalar>  $query
     * @param  float|null  $seconds  for everything together; null: those of the client, and one repeat only
     * @return array<string, mixed> the answer's object
     *
     * @throws ApiException the last refusal
     */
    public function read(string $path, array $query = [], ?float $seconds = null): array
    {
        $ask = fn (float $left) => $this->within(min($left, $this->timeout))->get($path, $query);

        return $this->repeated($ask, $seconds ?? $this->timeout, $seconds === null ? 1 : PHP_INT_MAX);
    }

    /**
     * A POST that only reads, asked once more, after a second, when the backend is away at first.
     *
     * @param  array<string, mixed>  $body
     * @return array<string, mixed> the answer's object
     *
     * @throws ApiException the last refusal
     */
    public function ask(string $path, array $body): array
    {
        return $this->repeated(fn (float $left) => $this->within(min($left, $this->timeout))->post($path, $body), $this->timeout, 1);
    }

    /**
     * A POST for Paymenter's hooks, which it calls once only: asked again, each second, while the backend is away or
     * overloaded. Only for what may be asked twice: with an Idempotency-Key, or where the API makes a repeat harmless.
     *
     * @param  array<string, mixed>  $body
     * @param  array<string, string>  $headers
     * @param  float  $seconds  for everything together
     * @return array<string, mixed> the answer's object
     *
     * @throws ApiException the last refusal
     */
    public function insist(string $path, array $body, array $headers = [], float $seconds = 27): array
    {
        return $this->repeated(function (float $left) use ($path, $body, $headers) {
            // The backend waits for its jobs up to 20 s, but its answer has to come before we give up.
            $wait = ['Prefer' => 'wait='.max(0, min(20, (int) $left - 4))];

            return $this->within(min($left, $this->timeout))->post($path, $body, $headers + $wait);
        }, $seconds);
    }

    /**
     * The same client, whose calls leave no trace in Laravel's events: Paymenter's setting *debug* logs every answer from them,
     * one-time links as well.
     */
    public function unlogged(): self
    {
        $client = clone $this;
        $client->http = new Factory;

        return $client;
    }

    /** @param  callable(float): array<string, mixed>  $ask  gets the seconds that are left */
    private function repeated(callable $ask, float $seconds, int $repeats = PHP_INT_MAX): array
    {
        for ($end = microtime(true) + $seconds; ; $repeats--) {
            try {
                return $ask($end - microtime(true));
            } catch (ApiException $e) {
                $isAway = $e->is('unreachable', 'unavailable', 'rate_limited');
                if (! $isAway || $repeats < 1 || $end - microtime(true) < 2) {
                    throw $e;
                }
                usleep(1_000_000);
            }
        }
    }

    private function call(string $method, string $path, array $options, array $headers): array
    {
        $request = ($this->http ?? Http::getFacadeRoot())->withToken($this->token)->acceptJson()->withHeaders($headers)->withOptions([
            'timeout' => $this->timeout,
            'connect_timeout' => $this->connectTimeout,
            'allow_redirects' => false,
            'http_errors' => false,
        ]);
        if (isset($options['body'])) {
            $request = $request->withBody($options['body'], 'application/json');
        }
        try {
            return $this->answer($request->send($method, $this->base.$path, $options), $path);
        } catch (ConnectionException|GuzzleException $e) {
            throw ApiException::unanswered($e, $path);
        }
    }

    private function answer(Response $response, string $path): array
    {
        $status = $response->status();
        $body = $response->body();
        $data = json_decode($body, true, 64, JSON_BIGINT_AS_STRING);
        $isObject = is_array($data) && str_starts_with(ltrim($body), '{');
        if ($status >= 200 && $status < 300 && $isObject && ($data['success'] ?? null) === true) {
            return $data;
        }

        throw ApiException::refused($status, $body, $isObject ? $data : [], $path);
    }
}
