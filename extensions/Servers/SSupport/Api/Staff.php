<?php

// A copy of extensions/shared/Servers/Staff.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\SSupport\Api;

use App\Helpers\NotificationHelper;
use App\Models\Notification;
use App\Models\Service;
use App\Models\User;
use Throwable;

/**
 * What staff are told: a mail to Paymenter's *System Email Address*, and a notification in Paymenter for each of them who may see
 * its failed jobs. Paymenter itself tells nobody of a job that failed.
 */
final class Staff
{
    /** As Paymenter calls it in its config/permissions.php. */
    private const PERMISSION = 'admin.failed_jobs.viewAny';

    /**
     * That they cannot be told must not hide what they are told about, so it is reported only.
     *
     * @param  string  $what  the subject, without the service
     * @param  string  $why  what a customer has typed may be in it
     * @param  string  $next  what happens now
     */
    public static function tell(Service $service, string $what, string $why, string $next): void
    {
        $subject = "Service $service->id: $what";
        $product = (string) ($service->product->name ?? '');
        $body = '<p>'.self::literal($why)."</p><p>Service $service->id, ".self::literal($product).'. '.self::literal($next).'</p>';
        self::attempt(fn () => NotificationHelper::sendSystemEmailNotification($subject, $body));
        self::attempt(fn () => self::notify($service, $subject, trim("$why $next")));
    }

    private static function notify(Service $service, string $title, string $body): void
    {
        foreach (User::whereNotNull('role_id')->get() as $user) {
            if ($user->hasPermission(self::PERMISSION)) {
                Notification::create(['user_id' => $user->id, 'title' => $title, 'body' => $body,
                    'url' => "/admin/services/$service->id/edit"]);
            }
        }
    }

    /** Paymenter runs the body of such a mail through Blade. */
    private static function literal(string $text): string
    {
        return strtr(e($text), ['{' => '&#123;', '}' => '&#125;', '@' => '&#64;']);
    }

    private static function attempt(callable $do): void
    {
        try {
            $do();
        } catch (Throwable $trouble) {
            report($trouble);
        }
    }
}
