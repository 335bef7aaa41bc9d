<?php

// A copy of extensions/shared/Servers/Hook.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\ProxmoxWP\Api;

use App\Models\FailedJob;
use App\Models\Service;
use Throwable;

/**
 * A hook that Paymenter calls for a service. Its failure is the job's failure, and that would be all: Paymenter tries a job once,
 * tells nobody, and shows the customer an active service. So it is written down at the service (`Overdue`), staff are told, and
 * `Retry` repeats it as long as it is still wanted. Whoever repeats it with success, that clears it.
 */
final class Hook
{
    /**
     * @param  string  $act  create, suspend, unsuspend, terminate, upgrade or owner
     * @param  callable(): array<string, mixed>  $do
     * @return array<string, mixed> what `do` returned
     *
     * @throws Throwable whatever `do` throws
     */
    public static function run(Service $service, string $act, callable $do): array
    {
        try {
            $result = $do();
        } catch (Throwable $e) {
            self::attempt(fn () => self::noteFailure($service, $act, $e->getMessage()));

            throw $e;
        }
        self::attempt(fn () => self::noteSuccess($service, $act));

        return $result;
    }

    /** Staff hear of the first failure and of the last, not of those between. */
    private static function noteFailure(Service $service, string $act, string $why): void
    {
        $overdue = Overdue::failed($service, $act, $why);
        if ($overdue->tries === 1) {
            Staff::tell($service, "$act failed", $why, "It is tried again by itself, {$overdue->outlook()}.");
        } elseif ($overdue->next === null) {
            Staff::tell($service, "$act failed for good", $why, "It was tried $overdue->tries times and is not tried again by itself. "
                .'Trigger Extension Action on the service in the admin tries it once more.');
        }
    }

    private static function noteSuccess(Service $service, string $act): void
    {
        $overdue = Overdue::of($service, $act);
        if ($overdue === null) {
            return;
        }
        Overdue::settle($service, $act);
        self::resolve($service, $act);
        if ($overdue->tries > 0) {
            Staff::tell($service, "$act succeeded after all", 'Nothing is left to do.', "It had failed: $overdue->reason");
        }
    }

    /**
     * Marks the failed jobs of an act as resolved, which it has been, or time has overtaken it: repeated later, one of them would
     * suspend or end what the customer has paid for since.
     */
    public static function resolve(Service $service, string $act): void
    {
        $job = 'App\\Jobs\\Server\\'.ucfirst($act).'Job';
        foreach (FailedJob::where('payload', 'like', '%'.ucfirst($act).'Job%')->get() as $row) {
            $data = json_decode((string) $row->payload, true)['data'] ?? [];
            // Laravel's ModelIdentifier, as it is serialized into the job.
            $isOurs = preg_match('/"App\\\\Models\\\\Service";s:2:"id";i:'.$service->id.';/', (string) ($data['command'] ?? ''));
            if (($data['commandName'] ?? '') === $job && $isOurs) {
                $row->delete();
            }
        }
    }

    /** The bookkeeping must not hide how the hook has ended. */
    private static function attempt(callable $do): void
    {
        try {
            $do();
        } catch (Throwable $trouble) {
            report($trouble);
        }
    }
}
