<?php

// A copy of extensions/shared/Servers/Hook.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\ProxmoxWP\Api;

use App\Helpers\NotificationHelper;
use App\Models\Service;
use Throwable;

/**
 * A hook that Paymenter calls for a service. Its failure is the job's failure, and that would be all: Paymenter tries a job once,
 * tells nobody, and shows the customer an active service. So staff get a mail at Paymenter's own *System Email Address*, and an
 * order that failed is written down at the service, where staff read it and the customer's page finds it.
 */
final class Hook
{
    /** Key of the service's property while its order is failed. */
    public const FAILED = 'nodepoint_order_failed';

    /**
     * The order itself.
     *
     * @param  callable(): array<string, mixed>  $do
     * @return array<string, mixed> what `do` returned
     *
     * @throws Throwable whatever `do` throws
     */
    public static function order(Service $service, callable $do): array
    {
        try {
            $result = $do();
        } catch (Throwable $e) {
            $row = ['name' => 'Order failed', 'value' => $e->getMessage()];
            $service->properties()->updateOrCreate(['key' => self::FAILED], $row);
            self::tell($service, 'create', $e);

            throw $e;
        }
        $service->properties()->where('key', self::FAILED)->delete();

        return $result;
    }

    /**
     * Any other act.
     *
     * @param  string  $act  its name for staff
     * @param  callable(): array<string, mixed>  $do
     * @return array<string, mixed> what `do` returned
     *
     * @throws Throwable whatever `do` throws
     */
    public static function act(Service $service, string $act, callable $do): array
    {
        try {
            return $do();
        } catch (Throwable $e) {
            self::tell($service, $act, $e);

            throw $e;
        }
    }

    /** Paymenter runs the body of such a mail through Blade, and the sentence may hold what a customer has typed. */
    private static function literal(string $text): string
    {
        return strtr(e($text), ['{' => '&#123;', '}' => '&#125;', '@' => '&#64;']);
    }

    /** That a mail cannot be queued must not hide why the hook failed. */
    private static function tell(Service $service, string $act, Throwable $e): void
    {
        $body = '<p>'.self::literal($e->getMessage()).'</p><p>Service '.$service->id.', '.self::literal((string) $service->product->name)
            .'. The job is in Admin, Failed Jobs; it can be retried there.</p>';
        try {
            NotificationHelper::sendSystemEmailNotification("Service $service->id: $act failed", $body);
        } catch (Throwable $trouble) {
            report($trouble);
        }
    }
}
