<?php

// A copy of extensions/shared/Servers/Retry.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\ProxmoxWP\Api;

use App\Helpers\ExtensionHelper;
use App\Helpers\NotificationHelper;
use App\Models\Property;
use App\Models\Service;
use Illuminate\Support\Facades\App;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Schedule;
use Throwable;

/**
 * Hooks of one extension that failed, tried again each minute by Paymenter's scheduler: the oldest first, each after its pause, and
 * only what Paymenter's status still wants. Every hook may be called twice, so nothing has to be known of how the last try ended.
 */
final class Retry
{
    /** Seconds for one run, after which no further try begins. */
    private const SECONDS = 45;

    /** Tries in one run. */
    private const MOST = 20;

    /** What Paymenter's status says about an act: the statuses in which it is wanted, and those in which it never will be. */
    private const WANTED = [
        'create' => [[Service::STATUS_ACTIVE], [Service::STATUS_CANCELLED]],
        'unsuspend' => [[Service::STATUS_ACTIVE], [Service::STATUS_SUSPENDED, Service::STATUS_CANCELLED]],
        'suspend' => [[Service::STATUS_SUSPENDED], [Service::STATUS_ACTIVE, Service::STATUS_CANCELLED]],
        'upgrade' => [[Service::STATUS_ACTIVE, Service::STATUS_SUSPENDED], [Service::STATUS_CANCELLED]],
        'owner' => [[Service::STATUS_ACTIVE, Service::STATUS_SUSPENDED], [Service::STATUS_CANCELLED]],
        'terminate' => [[Service::STATUS_CANCELLED], [Service::STATUS_ACTIVE, Service::STATUS_SUSPENDED]],
    ];

    /** @var array<int|string, true> ids of servers that did not answer in this run */
    private array $away = [];

    public function __construct(private string $extension) {}

    /** Has it run each minute, in a process of its own, so that Paymenter's other tasks do not wait for it. */
    public static function schedule(string $extension): void
    {
        if (! App::runningInConsole()) {
            return;
        }
        $name = 'nodepoint:retry-'.strtolower($extension);
        Artisan::command($name, fn () => (new Retry($extension))->run())->purpose("Tries failed hooks of $extension again");
        App::booted(fn () => Schedule::command($name)->everyMinute()->withoutOverlapping(5)->onOneServer()->runInBackground());
    }

    /** @return int how many were tried */
    public function run(): int
    {
        $end = microtime(true) + self::SECONDS;
        $tried = 0;
        $rows = Property::where('key', 'like', 'nodepoint_%_failed')->orderBy('created_at')->orderBy('id')->get();
        foreach ($rows as $row) {
            if ($tried === self::MOST || microtime(true) > $end) {
                break;
            }
            $overdue = Overdue::read((string) $row->key, (string) $row->value);
            $service = $row->model;
            if ($overdue !== null && $service instanceof Service && $this->isOurs($service)) {
                $tried += (int) $this->attend($service->refresh(), $overdue);
            }
        }

        return $tried;
    }

    /** Whether it was tried: not what is not due or not wanted now. */
    private function attend(Service $service, Overdue $overdue): bool
    {
        [$wanted, $never] = self::WANTED[$overdue->act];
        if (in_array($service->status, $never, true)) {
            Overdue::settle($service, $overdue->act);
            Hook::resolve($service, $overdue->act);

            return false;
        }
        $server = $service->product->server->id;
        if (! $overdue->isDue() || ! in_array($service->status, $wanted, true) || isset($this->away[$server])) {
            return false;
        }
        try {
            $this->repeat($service, $overdue->act);
        } catch (Throwable $e) {
            if ($e instanceof ApiException && $e->is('unreachable', 'timeout')) {
                $this->away[$server] = true; // the others would meet the same, and each of their tries counts
            }
            report($e);
        }

        return true;
    }

    private function repeat(Service $service, string $act): void
    {
        $mail = $this->call($service, $act);
        // Somebody may have paid in the meantime, and his own hook may have come before this one.
        $status = $service->refresh()->status;
        if ($act === 'suspend' && $status === Service::STATUS_ACTIVE) {
            $this->call($service, 'unsuspend');
        } elseif ($act === 'unsuspend' && $status === Service::STATUS_SUSPENDED) {
            $this->call($service, 'suspend');
        } else {
            $this->tellCustomer($service, $act, is_array($mail) ? $mail : []);
        }
    }

    private function call(Service $service, string $act): mixed
    {
        return match ($act) {
            'create' => ExtensionHelper::createServer($service),
            'suspend' => ExtensionHelper::suspendServer($service),
            'unsuspend' => ExtensionHelper::unsuspendServer($service),
            'upgrade' => ExtensionHelper::upgradeServer($service),
            'terminate' => ExtensionHelper::terminateServer($service),
            'owner' => ExtensionHelper::callService($service, 'tellOwner'),
        };
    }

    /** The mail that the job which failed would have sent. */
    private function tellCustomer(Service $service, string $act, array $mail): void
    {
        match ($act) {
            'create' => NotificationHelper::serverCreatedNotification($service->user, $service, $mail),
            'suspend' => NotificationHelper::serverSuspendedNotification($service->user, $service, $mail),
            'terminate' => NotificationHelper::serverTerminatedNotification($service->user, $service, $mail),
            default => null,
        };
    }

    private function isOurs(Service $service): bool
    {
        return ($service->product?->server?->extension) === $this->extension;
    }
}
