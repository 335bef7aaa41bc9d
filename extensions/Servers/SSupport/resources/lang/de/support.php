<?php

return [
    'title' => 'Support',
    'loading' => 'Ihr Support-Schlüssel wird abgefragt …',
    'again' => 'Noch einmal versuchen',
    'away' => 'Der Support-Schlüssel kann zurzeit nicht angezeigt werden.',
    'none' => 'Ihr Support-Schlüssel wird angelegt. Bitte sehen Sie in einer Minute noch einmal nach.',
    'how' => 'Nennen Sie diesen Schlüssel, wenn Sie unsere Hilfe brauchen.',
    'key' => 'Support-Schlüssel',
    'copy' => 'Kopieren',
    'copied' => 'Kopiert',
    'status' => 'Status',
    'plan' => 'Tarif',
    'email' => 'E-Mail',
    'not_valid' => 'Dieser Schlüssel ist zurzeit nicht gültig. Bitte wenden Sie sich an uns.',
    'statuses' => [
        'ACTIVE' => 'Aktiv',
        'SUSPENDED' => 'Gesperrt',
        'INACTIVE' => 'Beendet',
    ],
];
