<?php

// The one place where the environment is read: elsewhere env() is null as soon as Paymenter's configuration is cached.
return [
    'backend_url' => env('DNS_BACKEND_URL'),
];
