<?php

namespace Illuminate\Support;

use Tests\Support\Laravel;

/** In place of Laravel's own, which needs phpdotenv. With a cached configuration it knows nothing of the .env file. */
class Env
{
    public static function get($key, $default = null)
    {
        return Laravel::$configIsCached ? $default : (getenv($key) ?: $default);
    }
}
