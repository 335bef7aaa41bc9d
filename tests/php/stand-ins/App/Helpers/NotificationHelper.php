<?php

namespace App\Helpers;

use App\Models\Service;
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

    /** @var list<array{string, int}> templates and services of the mails to customers */
    public static array $customers = [];

    public static function serverCreatedNotification($user, Service $service, array $data = []): void
    {
        self::$customers[] = ['new_server_created', $service->id];
    }

    public static function serverSuspendedNotification($user, Service $service, array $data = []): void
    {
        self::$customers[] = ['server_suspended', $service->id];
    }

    public static function serverTerminatedNotification($user, Service $service, array $data = []): void
    {
        self::$customers[] = ['server_terminated', $service->id];
    }
}
