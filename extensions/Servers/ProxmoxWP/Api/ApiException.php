<?php

// A copy of extensions/shared/ApiException.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\ProxmoxWP\Api;

use RuntimeException;
use Throwable;

/**
 * A call that brought no success. The message is one plain sentence that may be shown to a customer
 * (escaped).
 *
 * It never has a previous exception: Paymenter's *Failed Jobs* shows the first line of the exception's text, and PHP begins that
 * text with the innermost previous one. For the same reason the text begins with the sentence, not with the class.
 *
 * `errorCode` is the API's own code (`validation, unauthorized, service_suspended, forbidden, not_found,
 * exists, …`), or, where there was no answer of the API: `timeout`, `unreachable`, `bad_answer`, `settings`.
 * (It is not called `code`, because PHP's own `getCode()` is a number that other software relies on; there it
 * is the HTTP status.)
 */
final class ApiException extends RuntimeException
{
    /** What a proxy in front of the backend answers while nobody is behind it. Our own 503 has a `code`. */
    private const GATEWAY = [502, 503, 504];

    /**
     * @param  int  $status  HTTP status; 0 without an answer
     * @param  array<string, list<string>>  $fields  sentences by field name
     * @param  array<string, mixed>  $body  the answer's object, empty where it was none
     * @param  string  $path  what was called
     * @param  string  $detail  what the HTTP client said, for the log: it names addresses
     */
    public function __construct(
        string $message,
        public readonly string $errorCode,
        public readonly int $status = 0,
        public readonly array $fields = [],
        public readonly array $body = [],
        public readonly string $path = '',
        public readonly string $detail = '',
    ) {
        parent::__construct($message, $status);
    }

    /** What failed_jobs and logs keep: the sentence alone on the first line. */
    public function __toString(): string
    {
        $facts = array_filter($this->context(), fn ($fact) => $fact !== null && $fact !== '' && $fact !== 0);

        return $this->getMessage()."\n".json_encode($facts, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE)."\n".parent::__toString();
    }

    /** Whether the API's reason is one of these. */
    public function is(string ...$codes): bool
    {
        return in_array($this->errorCode, $codes, true);
    }

    /** Whether nothing is known about the call's effect: it may have been done. */
    public function isUnanswered(): bool
    {
        return $this->is('timeout', 'unreachable', 'bad_answer');
    }

    /**
     * What Laravel writes beside the message into its log; the request id leads to the line in the backend's
     * log.
     *
     * @return array<string, mixed>
     */
    public function context(): array
    {
        $id = $this->body['request_id'] ?? null;

        return ['path' => $this->path, 'status' => $this->status, 'code' => $this->errorCode,
            'request_id' => is_string($id) ? $id : null, 'detail' => $this->detail];
    }

    /** No answer came. A time-out before the connection stood is no late answer: nothing has been asked yet. */
    public static function unanswered(Throwable $e, string $path): self
    {
        $isLate = ! preg_match('/(Connection|Resolving) time(d )?out|Failed to connect/i', $e->getMessage());

        return $isLate && preg_match('/cURL error 28\b|timed? ?out/i', $e->getMessage())
            ? new self('The backend did not answer in time.', 'timeout', path: $path, detail: $e->getMessage())
            : new self('The backend could not be reached.', 'unreachable', path: $path, detail: $e->getMessage());
    }

    /**
     * An answer that is no success.
     *
     * @param  array<string, mixed>  $data  its JSON object, if it was one
     */
    public static function refused(int $status, string $body, array $data, string $path): self
    {
        if ($status >= 300 && $status < 400) {
            $sentence = "The backend answered with a redirect (HTTP $status); its address in the settings is not the right one.";

            return new self($sentence, 'bad_answer', $status, path: $path);
        }
        $code = $data['code'] ?? null;
        if (in_array($status, self::GATEWAY, true) && ! is_string($code)) {
            return new self('The backend could not be reached.', 'unreachable', $status, path: $path, detail: ErrorText::clean($body, ''));
        }
        if ($status < 400 && ($data['success'] ?? null) !== false) {
            $sentence = 'The backend gave an answer that could not be understood.';

            return new self($sentence, 'bad_answer', $status, path: $path);
        }
        $code = is_string($code) && $code !== '' ? $code : 'bad_answer';
        $sentence = ErrorText::clean($body, "The backend refused the request (HTTP $status).");

        return new self($sentence, $code, $status, self::fields($data), $data, $path);
    }

    private static function fields(array $data): array
    {
        $fields = [];
        foreach (is_array($data['fields'] ?? null) ? $data['fields'] : [] as $name => $sentences) {
            $fields[(string) $name] = array_values(array_filter((array) $sentences, 'is_string'));
        }

        return array_filter($fields);
    }
}
