<?php

return [
    'title' => 'Support',
    'loading' => 'Asking for your support key…',
    'again' => 'Try again',
    'away' => 'The support key cannot be shown at the moment.',
    'none' => 'Your support key is being made. Please look again in a minute.',
    'how' => 'Give this key whenever you ask us for help.',
    'key' => 'Support key',
    'copy' => 'Copy',
    'copied' => 'Copied',
    'status' => 'Status',
    'plan' => 'Plan',
    'email' => 'E-mail',
    'not_valid' => 'This key is not valid at the moment. Please contact us.',
    'statuses' => [
        'ACTIVE' => 'Active',
        'SUSPENDED' => 'Suspended',
        'INACTIVE' => 'Ended',
    ],
];
