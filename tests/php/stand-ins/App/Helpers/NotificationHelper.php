<?php

namespace App\Helpers;

use RuntimeException;

class NotificationHelper
{
    /** @var list<array{string, string}> subjects and bodies of the mails to staff; the original runs the body through Blade */
    public static array $sent = [];

    public static bool $isBroken = false;

    public static function sendSystemEmailNotification(string $subject, string $body, array $attachments = [], ?string $email = null): void
    {
        if (self::$isBroken) {
            throw new RuntimeException('The queue is away.');
        }
        self::$sent[] = [$subject, $body];
    }
}
