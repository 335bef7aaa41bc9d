<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Throwable;

/**
 * What a customer is told when something failed: the backend's own sentence where it is about his site, else
 * one of ours, and then the operator finds the cause in his log.
 */
final class Sentence
{
    /** What is no business of a customer: the operator's settings, and faults of ours. */
    private const OURS = ['unauthorized', 'forbidden', 'settings', 'bad_answer', 'internal', 'unavailable'];

    public static function of(Throwable $e): string
    {
        if ($e instanceof ApiException && ! $e->is('timeout', 'unreachable', ...self::OURS)) {
            return $e->getMessage();
        }
        report($e);

        return $e instanceof ApiException && $e->is('timeout')
            ? __('proxmoxwp::panel.trouble.timeout')
            : __('proxmoxwp::panel.trouble.away');
    }
}
