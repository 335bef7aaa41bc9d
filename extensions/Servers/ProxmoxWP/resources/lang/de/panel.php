<?php

return [
    'tabs' => ['overview' => 'Übersicht', 'domains' => 'Domains', 'backups' => 'Sicherungen'],
    'log_in' => 'Bei WordPress anmelden',
    'logging_in' => 'WordPress wird geöffnet. Das dauert einige Sekunden …',
    'back' => 'Zurück zum Dienst',

    'site' => 'Website',
    'status' => 'Zustand',
    'plan' => 'Tarif',
    'plan_of' => ':name (:memory_mb MB Speicher, :disk_gb GB Platte, :cores Kerne)',
    'cpu' => 'Prozessor',
    'memory' => 'Speicher',
    'disk' => 'Platte',
    'uptime' => 'Läuft seit',
    'visitors' => 'Besucher',
    'visitors_on' => 'erreichen die Website',
    'visitors_off' => 'sehen, dass die Website offline ist',

    'statuses' => [
        'provisioning' => 'wird eingerichtet', 'running' => 'läuft', 'stopped' => 'angehalten', 'suspended' => 'gesperrt',
        'deleting' => 'wird gelöscht', 'failed' => 'fehlgeschlagen', 'unknown' => 'zurzeit nicht bekannt',
    ],

    'start' => 'Starten',
    'stop' => 'Anhalten',
    'restart' => 'Neu starten',
    'reset' => 'Auf den ersten Tag zurücksetzen',
    'turn_on' => 'Website online stellen',
    'turn_off' => 'Website offline nehmen',
    'remove' => 'Löschen',
    'remove_domain' => 'Löschen der Domain :name',
    'remove_backup' => 'Löschen der Sicherung :name',
    'roll_back' => 'Dahin zurückkehren',
    'roll_back_to' => 'Dahin zurückkehren: :name',
    'make_backup' => 'Sicherung anlegen',
    'add_domain' => 'Domain hinzufügen',
    'again' => 'Noch einmal versuchen',
    'anyway' => 'Diese Sicherungen löschen und fortfahren',
    'decline' => 'Alles lassen, wie es ist',

    'loading' => 'Einen Augenblick …',
    'working' => 'In Arbeit …',
    'setting_up' => 'Ihre Website wird eingerichtet.',
    'eta' => '(noch etwa :seconds s)',
    'suspended' => 'Ihre Website ist gesperrt: Sie ist angehalten, und nichts davon geht verloren. Sobald der Dienst wieder aktiv '
        .'ist, kommt sie so zurück, wie Sie sie verlassen haben.',
    'stale' => 'Wie es Ihrer Website geht, lässt sich zurzeit nicht feststellen. Dies ist der letzte bekannte Stand.',
    'order_failed' => 'Ihre Website konnte nicht eingerichtet werden.',
    'order_failed_next' => 'Wir sind benachrichtigt und bringen es in Ordnung; Ihre Bestellung gilt, Sie müssen nicht noch einmal bestellen. '
        .'Melden Sie sich bitte bei uns, wenn sich hier bis morgen nichts geändert hat.',

    'domain' => 'Domain',
    'domains_left' => ':remaining von :allowed Domains können noch hinzugefügt werden.',
    'no_domains' => 'Noch keine eigenen Domains.',
    'dns_must_say' => 'Tragen Sie zuerst dies im DNS Ihrer Domain ein, und warten Sie, bis es gilt:',
    'dns_hint' => 'Es darf keinen AAAA-Eintrag geben, denn er würde Besucher woandershin führen. In unserem eigenen DNS geben Sie als '
        .'Inhalt des A-Eintrags PROXYSRV an.',
    'primary' => 'Hauptadresse der Website',
    'domain_statuses' => ['pending' => 'wird eingerichtet', 'active' => 'aktiv', 'failed' => 'fehlgeschlagen', 'unknown' => 'nicht bekannt'],
    'certificates' => [
        'none' => 'noch kein Zertifikat', 'pending' => 'Zertifikat bestellt', 'active' => 'Zertifikat aktiv',
        'failed' => 'kein Zertifikat', 'unknown' => 'Zertifikat nicht bekannt',
    ],

    'backups_used' => ':used von :allowed Sicherungen sind belegt.',
    'no_backups' => 'Noch keine Sicherungen.',
    'backup_statuses' => ['creating' => 'wird angelegt', 'ready' => 'bereit', 'deleting' => 'wird gelöscht', 'unknown' => 'nicht bekannt'],

    'confirm' => [
        'reset' => 'Die Website auf ihren ersten Tag zurücksetzen? Alles, was seitdem getan wurde, geht verloren.',
        'roll_back' => 'Zu :name zurückkehren? Alles, was seitdem getan wurde, geht verloren.',
        'backup' => 'Die Sicherung :name löschen? Sie lässt sich nicht wiederherstellen.',
        'domain' => 'Die Domain :name entfernen? Besucher erreichen Ihre Website dann nicht mehr über sie.',
        'anyway' => 'Diese Sicherungen löschen? Sie lassen sich nicht wiederherstellen.',
    ],

    'started' => [
        'start' => 'Die Website wird gestartet.',
        'stop' => 'Die Website wird angehalten.',
        'restart' => 'Die Website wird neu gestartet.',
        'reset' => 'Das Zurücksetzen hat begonnen.',
        'on' => 'Die Website wird online gestellt.',
        'off' => 'Die Website wird offline genommen.',
        'domain_added' => 'Die Domain wird eingerichtet.',
        'domain_removed' => 'Die Domain wird entfernt.',
        'backup' => 'Die Sicherung hat begonnen.',
        'backup_deleted' => 'Die Sicherung wird gelöscht.',
        'rolled_back' => 'Die Rückkehr hat begonnen.',
    ],
    'done' => [
        'start' => 'Die Website läuft.',
        'stop' => 'Die Website ist angehalten.',
        'restart' => 'Die Website wurde neu gestartet.',
        'reset' => 'Die Website ist wie am ersten Tag.',
        'on' => 'Die Website ist online: Besucher erreichen sie.',
        'off' => 'Die Website ist offline: Besucher erreichen sie nicht.',
        'domain_added' => 'Die Domain ist eingerichtet.',
        'domain_removed' => 'Die Domain ist entfernt.',
        'backup' => 'Die Sicherung ist angelegt.',
        'backup_deleted' => 'Die Sicherung ist gelöscht.',
        'rolled_back' => 'Die Website ist so, wie sie bei der Sicherung war.',
    ],

    'trouble' => [
        'not_yet' => 'Ihre Website ist noch nicht da. Wenn Sie sie gerade bestellt haben, erscheint sie hier von selbst.',
        'not_active' => 'Dieser Dienst ist zurzeit nicht aktiv.',
        'timeout' => 'Die Antwort dauert zu lange. Bitte versuchen Sie es gleich noch einmal.',
        'away' => 'Dies steht zurzeit nicht zur Verfügung. Bitte versuchen Sie es später noch einmal.',
        'failed' => 'Es ist nicht gelungen. Bitte versuchen Sie es noch einmal, oder melden Sie sich bei uns.',
    ],
];
