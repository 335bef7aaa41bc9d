<?php

/* Functions that laravel/framework defines beside its packages, as far as the extensions use them. */

use Symfony\Component\HttpKernel\Exception\HttpException;

if (! function_exists('abort')) {
    function abort($code, $message = '', array $headers = [])
    {
        throw new HttpException($code, $message, null, $headers);
    }
}

if (! function_exists('abort_unless')) {
    function abort_unless($boolean, $code, $message = '', array $headers = [])
    {
        if (! $boolean) {
            abort($code, $message, $headers);
        }
    }
}

if (! function_exists('route')) {
    function route($name, $parameters = [], $absolute = true)
    {
        return app('url')->route($name, $parameters, $absolute);
    }
}

if (! function_exists('trans_choice')) {
    function trans_choice($key, $number, array $replace = [], $locale = null)
    {
        return app('translator')->choice($key, $number, $replace, $locale);
    }
}
