<?php

namespace Paymenter\Extensions\Shared;

use App\Models\Service;

/**
 * An act that a service is still owed: a hook that failed, or something that NodePoint has to be told. It is a property of the
 * service, so staff read it there as *Last error*, and whoever deletes the property ends the tries.
 *
 *     nodepoint_suspend_failed = The backend could not be reached. (tried 2 times since 2026-11-30 20:00 UTC,
 *         next after 2026-11-30 20:03 UTC)
 *
 * The text is all that is kept. One that staff have written over, or an older release, counts as tried once and due at once.
 */
final class Overdue
{
    /** Minutes from one try to the next; the last of them from then on. */
    private const PAUSES = [1, 2, 5, 10, 30, 60];

    /** Tries; the last is a day after the first. After it only staff try again. */
    private const MOST = 30;

    private const TEXT = '/^(.*) \(tried (\d+) times? since ([\d: -]+) UTC, (?:next after ([\d: -]+) UTC|not again by itself)\)$/su';

    /**
     * @param  string  $act  create, suspend, unsuspend, terminate, upgrade or owner
     * @param  string  $reason  a sentence
     * @param  int  $since  when it failed first, seconds since 1970
     * @param  int|null  $next  when it is due, likewise; null: it is not tried again by itself
     */
    private function __construct(
        public readonly string $act,
        public readonly string $reason,
        public readonly int $tries,
        public readonly int $since,
        public readonly ?int $next,
    ) {}

    public static function key(string $act): string
    {
        return $act === 'create' ? 'nodepoint_order_failed' : "nodepoint_{$act}_failed";
    }

    /** What a property of a service says; null where it is none of these. */
    public static function read(string $key, string $value): ?self
    {
        if (! preg_match('/\Anodepoint_(order|suspend|unsuspend|terminate|upgrade|owner)_failed\z/', $key, $name)) {
            return null;
        }
        $act = $name[1] === 'order' ? 'create' : $name[1];
        if (! preg_match(self::TEXT, $value, $found)) {
            return new self($act, $value, 1, time(), 0);
        }

        return new self($act, $found[1], (int) $found[2], self::moment($found[3]), isset($found[4]) ? self::moment($found[4]) : null);
    }

    public static function of(Service $service, string $act): ?self
    {
        $row = $service->properties()->where('key', self::key($act))->first();

        return $row === null ? null : self::read(self::key($act), (string) $row->value);
    }

    /** One more try has failed. */
    public static function failed(Service $service, string $act, string $reason): self
    {
        $before = self::of($service, $act);
        $tries = ($before->tries ?? 0) + 1;
        // To the full minute, since the text has no seconds; never earlier.
        $next = (int) ceil(time() / 60 + self::PAUSES[min($tries, count(self::PAUSES)) - 1]) * 60;

        return self::store($service, new self($act, $reason, $tries, $before->since ?? time(), $tries < self::MOST ? $next : null));
    }

    /** Nothing has failed: it is to be done at the next opportunity. */
    public static function wanted(Service $service, string $act, string $what): self
    {
        return self::store($service, new self($act, $what, 0, time(), time()));
    }

    /** It was done, or time has overtaken it. */
    public static function settle(Service $service, string $act): void
    {
        $service->properties()->where('key', self::key($act))->delete();
    }

    public function isDue(): bool
    {
        return $this->next !== null && $this->next <= time();
    }

    /** When it is tried again, for staff. */
    public function outlook(): string
    {
        return $this->next === null ? 'not again by itself' : 'next after '.gmdate('Y-m-d H:i', $this->next).' UTC';
    }

    private static function store(Service $service, self $overdue): self
    {
        $times = $overdue->tries === 1 ? 'time' : 'times';
        $since = gmdate('Y-m-d H:i', $overdue->since);
        $service->properties()->updateOrCreate(['key' => self::key($overdue->act)], ['name' => "Last error: $overdue->act",
            'value' => "$overdue->reason (tried $overdue->tries $times since $since UTC, {$overdue->outlook()})"]);

        return $overdue;
    }

    private static function moment(string $text): int
    {
        return (int) strtotime("$text UTC");
    }
}
