<?php

namespace App\Helpers;

use App\Models\Service;
use Exception;

class ExtensionHelper
{
    /** The extension with the settings of the service's server, or null for a product without a server. */
    public static $server = null;

    public static function callService(Service $service, $function, $args = [], $mayFail = false)
    {
        if (! self::$server) {
            if ($mayFail) {
                throw new Exception('No server assigned to this product');
            } else {
                return;
            }
        }
        if (! method_exists(self::$server, $function)) {
            throw new Exception('Function not found');
        }

        return self::$server->$function($service, $service->product->settings, $service->propertiesByKey(), ...$args);
    }

    /** The original takes a collection of rows; the stand-ins have an array. */
    public static function settingsToArray($settings)
    {
        return $settings;
    }

    public static function createServer(Service $service)
    {
        return self::callService($service, 'createServer', [], true);
    }

    public static function suspendServer(Service $service)
    {
        return self::callService($service, 'suspendServer', [], true);
    }

    public static function unsuspendServer(Service $service)
    {
        return self::callService($service, 'unsuspendServer', [], true);
    }

    public static function upgradeServer(Service $service)
    {
        return self::callService($service, 'upgradeServer', [], true);
    }

    public static function terminateServer(Service $service)
    {
        return self::callService($service, 'terminateServer', [], true);
    }
}
