<?php

namespace Paymenter\Extensions\Shared;

use App\Events\Service\Updated as ServiceUpdated;
use App\Events\User\Updated as UserUpdated;
use App\Models\Service;
use Illuminate\Support\Facades\Event;
use Throwable;

/**
 * Whose a service is: when Paymenter gives a service to another user, or a user gets another e-mail address, NodePoint is told. Not in
 * the request that changes it, which must neither wait nor fail for that: it is written down at the service, and `Retry` does it
 * within a minute, by the extension's `tellOwner`.
 */
final class Owners
{
    /** @param  string  $extension  whose services are meant */
    public static function watch(string $extension): void
    {
        Event::listen(UserUpdated::class, function (UserUpdated $event) use ($extension) {
            if ($event->user->wasChanged('email')) {
                foreach ($event->user->services as $service) {
                    self::note($service, $extension);
                }
            }
        });
        Event::listen(ServiceUpdated::class, function (ServiceUpdated $event) use ($extension) {
            if ($event->service->wasChanged('user_id')) {
                self::note($event->service, $extension);
            }
        });
    }

    private static function note(Service $service, string $extension): void
    {
        try {
            $isOurs = ($service->product?->server?->extension) === $extension;
            if ($isOurs && in_array($service->status, [Service::STATUS_ACTIVE, Service::STATUS_SUSPENDED], true)) {
                Overdue::wanted($service, 'owner', 'NodePoint has to be told of the new owner or address.');
            }
        } catch (Throwable $e) {
            report($e); // what has been changed in Paymenter stays
        }
    }
}
