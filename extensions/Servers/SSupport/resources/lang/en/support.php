<?php

return [
    'title' => 'Support',
    'loading' => 'Asking for your support key…',
    'again' => 'Try again',
    'away' => 'Whether your support key is valid cannot be asked at the moment.',
    'none' => 'Your support key is being made. Please look again in a minute.',
    'order_failed' => 'Your support key could not be made. We have been told, and it is tried again by itself; your order stands, and you do not need to '
        .'order again. Please contact us if nothing has changed here tomorrow.',
    'how' => 'Give this key whenever you ask us for help.',
    'key' => 'Support key',
    'copy' => 'Copy',
    'copied' => 'Copied',
    'portal' => 'Ask for help',
    'rotate' => 'Replace the key by a new one',
    'confirm_rotate' => 'Replace the key? The old one is not valid any more at once.',
    'rotated' => 'You have a new support key. The old one is not valid any more.',
    'replaced_already' => 'The key was replaced in the meantime. This is the new one.',
    'not_now' => 'This is not available at the moment. Please try again later.',
    'status' => 'Status',
    'email' => 'E-mail',
    'not_valid' => [
        'SUSPENDED' => 'Your support is suspended, so your support key is not valid at the moment. The same key becomes valid again with it. '
            .'Please contact us if you do not know why.',
        'INACTIVE' => 'Your support has ended, so your support key is not valid any more. Please contact us if it should go on.',
    ],
    'statuses' => [
        'ACTIVE' => 'Active',
        'SUSPENDED' => 'Suspended',
        'INACTIVE' => 'Ended',
    ],
];
