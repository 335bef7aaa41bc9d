<?php

// A copy of extensions/shared/Calls.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Others\DNS\Api;

use LogicException;

/**
 * The calls that an extension makes: what it sends, what it reads, how long it waits, all of it as data.
 *
 *     'status' => ['GET', '/support/status', 'within' => 8,
 *         'sends' => ['service_id'], 'reads' => ['status', 'email']],
 *
 * - The table is the truth, since nothing else gets through: a field that is not in `sends` cannot be sent, and of the
 *   answer only what `reads` names is handed on. A test compares each word of it with the backend's OpenAPI document.
 * - `reads` names fields with dots; `*` stands for each item of a list or map: `zones.*.zone.name`.
 * - `'asks' => true`: a POST that changes nothing, and so may be repeated like a GET.
 * - `'secret' => true`: the answer must not stand in any log.
 * - `{job_id}` in a path is filled in from the fields.
 */
final class Calls
{
    /**
     * @param  array<string, array{0: string, 1: string, within: float, sends: list<string>, reads: list<string>, asks?: bool, secret?: bool}>  $table
     *         method and path by a call's name; `within`: seconds for the whole call; `asks` and `secret` may be left out
     */
    public function __construct(private Client $client, private array $table) {}

    /**
     * Once; what only reads twice, when the backend is away at first.
     *
     * @param  string  $name  the call's name in the table
     * @param  array<string, scalar|array<string, scalar|null>>  $fields  body of a POST, query of a GET
     * @param  array<string, string>  $headers  only a POST has any
     * @return array<string, mixed> what `reads` names and the answer has
     *
     * @throws ApiException
     */
    public function make(string $name, array $fields = [], array $headers = []): array
    {
        [$method, $path, $fields] = $this->prepare($name, $fields);
        $client = $this->client->within($this->table[$name]['within']);
        if ($this->table[$name]['secret'] ?? false) {
            $client = $client->unlogged();
        }
        $answer = match (true) {
            $method === 'GET' => $client->read($path, $fields),
            $this->table[$name]['asks'] ?? false => $client->ask($path, $fields),
            default => $client->post($path, $fields, $headers),
        };

        return self::sift($answer, $this->table[$name]['reads']);
    }

    /**
     * For hooks: again and again while the backend is away.
     *
     * @param  array<string, mixed>  $fields
     * @param  array<string, string>  $headers
     * @param  float  $seconds  for everything together
     * @return array<string, mixed> what `reads` names and the answer has
     *
     * @throws ApiException
     */
    public function insist(string $name, array $fields, array $headers, float $seconds): array
    {
        [$method, $path, $fields] = $this->prepare($name, $fields);
        $answer = $method === 'GET'
            ? $this->client->within($this->table[$name]['within'])->read($path, $fields, $seconds)
            : $this->client->insist($path, $fields, $headers, $seconds);

        return self::sift($answer, $this->table[$name]['reads']);
    }

    /** @return array{string, string, array<string, mixed>} method, path and the fields that are not in the path */
    private function prepare(string $name, array $fields): array
    {
        [$method, $path] = $this->table[$name];
        $unknown = array_diff(array_keys($fields), $this->table[$name]['sends']);
        if ($unknown !== []) {
            throw new LogicException("The call $name does not send ".implode(', ', $unknown).'.');
        }
        $path = preg_replace_callback('/\{(\w+)\}/', function (array $match) use (&$fields) {
            $value = rawurlencode((string) $fields[$match[1]]);
            unset($fields[$match[1]]);

            return $value;
        }, $path);

        return [$method, $path, $fields];
    }

    /**
     * Of an answer, what these names name.
     *
     * @param  list<string>  $names
     */
    private static function sift(array $answer, array $names): array
    {
        $kept = [];
        foreach ($names as $name) {
            self::keep($answer, explode('.', $name), $kept);
        }

        return $kept;
    }

    private static function keep(array $from, array $path, array &$to): void
    {
        $step = array_shift($path);
        foreach ($step === '*' ? array_keys($from) : [$step] as $key) {
            if ($path === [] && array_key_exists($key, $from)) {
                $to[$key] = $from[$key];
            } elseif (is_array($from[$key] ?? null)) {
                $to[$key] ??= [];
                self::keep($from[$key], $path, $to[$key]);
            }
        }
    }
}
