<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use App\Events\ServiceUpgrade\Created;
use App\Exceptions\DisplayException;
use App\Helpers\ExtensionHelper;
use App\Models\ServiceUpgrade;
use Illuminate\Support\Facades\Event;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Field;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Sentence;

/**
 * An upgrade that the backend would refuse is refused before it is paid. Paymenter writes the upgrade down within its order, shows a
 * DisplayException to the customer and takes everything back (App\Livewire\Services\Upgrade::doUpgrade). While the backend is away nothing
 * is refused: the upgrade itself is tried again.
 */
final class Upgrades
{
    public static function watch(): void
    {
        Event::listen(Created::class, fn (Created $event) => self::refuse($event->serviceUpgrade));
    }

    private static function refuse(ServiceUpgrade $upgrade): void
    {
        if (($upgrade->product?->server?->extension) !== 'ProxmoxWP' || ($upgrade->service?->product?->server?->extension) !== 'ProxmoxWP') {
            return;
        }
        $plan = Field::text(ExtensionHelper::settingsToArray($upgrade->product->settings), 'plan');
        try {
            ExtensionHelper::callService($upgrade->service, 'backend')->call('would upgrade', ['plan' => $plan, 'dry_run' => true]);
        } catch (ApiException $e) {
            if ($e->is('disk_too_small', 'quota_exceeded', 'validation', 'wrong_state')) {
                throw new DisplayException($e->is('validation') ? __('proxmoxwp::panel.trouble.away') : Sentence::of($e));
            }
            report($e);
        }
    }
}
