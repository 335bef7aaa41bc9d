<?php

return [
    'title' => 'Support',
    'loading' => 'Ihr Support-Schlüssel wird abgefragt …',
    'again' => 'Noch einmal versuchen',
    'away' => 'Ob Ihr Support-Schlüssel gültig ist, lässt sich zurzeit nicht abfragen.',
    'none' => 'Ihr Support-Schlüssel wird angelegt. Bitte sehen Sie in einer Minute noch einmal nach.',
    'order_failed' => 'Ihr Support-Schlüssel konnte nicht angelegt werden. Wir sind benachrichtigt, und es wird von selbst noch einmal versucht; Ihre Bestellung '
        .'gilt, Sie müssen nicht noch einmal bestellen. Melden Sie sich bitte bei uns, wenn sich hier bis morgen nichts geändert hat.',
    'how' => 'Nennen Sie diesen Schlüssel, wenn Sie unsere Hilfe brauchen.',
    'key' => 'Support-Schlüssel',
    'copy' => 'Kopieren',
    'copied' => 'Kopiert',
    'portal' => 'Hilfe anfordern',
    'rotate' => 'Schlüssel durch einen neuen ersetzen',
    'confirm_rotate' => 'Den Schlüssel ersetzen? Der alte gilt sofort nicht mehr.',
    'rotated' => 'Sie haben einen neuen Support-Schlüssel. Der alte gilt nicht mehr.',
    'replaced_already' => 'Der Schlüssel wurde inzwischen ersetzt. Dies ist der neue.',
    'not_now' => 'Dies steht zurzeit nicht zur Verfügung. Bitte versuchen Sie es später noch einmal.',
    'status' => 'Status',
    'email' => 'E-Mail',
    'not_valid' => [
        'SUSPENDED' => 'Ihr Support ist gesperrt, deshalb gilt Ihr Support-Schlüssel zurzeit nicht. Mit dem Support gilt derselbe Schlüssel wieder. '
            .'Bitte wenden Sie sich an uns, wenn Sie den Grund nicht kennen.',
        'INACTIVE' => 'Ihr Support ist beendet, deshalb gilt Ihr Support-Schlüssel nicht mehr. Bitte wenden Sie sich an uns, wenn er weitergehen soll.',
    ],
    'statuses' => [
        'ACTIVE' => 'Aktiv',
        'SUSPENDED' => 'Gesperrt',
        'INACTIVE' => 'Beendet',
    ],
];
