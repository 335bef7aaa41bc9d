<?php

return [
    'tabs' => ['overview' => 'Overview', 'domains' => 'Domains', 'backups' => 'Backups'],
    'log_in' => 'Log in to WordPress',
    'logging_in' => 'Opening WordPress. This takes some seconds …',
    'back' => 'Back to the service',

    'site' => 'Site',
    'status' => 'Status',
    'plan' => 'Plan',
    'plan_of' => ':name (:memory_mb MB memory, :disk_gb GB disk, :cores cores)',
    'cpu' => 'Processor',
    'memory' => 'Memory',
    'disk' => 'Disk',
    'uptime' => 'Running for',
    'visitors' => 'Visitors',
    'visitors_on' => 'can reach the site',
    'visitors_off' => 'are shown that the site is offline',

    'statuses' => [
        'provisioning' => 'being made', 'running' => 'running', 'stopped' => 'stopped', 'suspended' => 'suspended',
        'deleting' => 'being deleted', 'failed' => 'failed', 'unknown' => 'not known at the moment',
    ],

    'start' => 'Start',
    'stop' => 'Stop',
    'restart' => 'Restart',
    'reset' => 'Reset to the first day',
    'turn_on' => 'Put the site online',
    'turn_off' => 'Take the site offline',
    'remove' => 'Delete',
    'remove_domain' => 'Delete the domain :name',
    'remove_backup' => 'Delete the backup :name',
    'roll_back' => 'Go back to it',
    'roll_back_to' => 'Go back to it: :name',
    'make_backup' => 'Make a backup',
    'add_domain' => 'Add domain',
    'again' => 'Try again',
    'anyway' => 'Delete these backups and go on',
    'decline' => 'Leave everything as it is',

    'loading' => 'One moment …',
    'working' => 'Working …',
    'setting_up' => 'Your site is being set up.',
    'eta' => '(about :seconds s left)',
    'suspended' => 'Your site is suspended: it is stopped, and nothing of it is lost. It comes back as you left it as soon as '
        .'the service is active again.',
    'stale' => 'How your site is cannot be read at the moment. This is what was known last.',
    'order_failed' => 'Your site could not be set up.',
    'order_failed_next' => 'We have been told and will put it right; your order stands, and you do not need to order again. Please contact '
        .'us if nothing has changed here tomorrow.',

    'domain' => 'Domain',
    'domains_left' => ':remaining of :allowed domains may still be added.',
    'no_domains' => 'No domains of your own yet.',
    'dns_must_say' => "Set this at your domain's DNS first, and wait until it is in effect:",
    'dns_hint' => 'There must be no AAAA record, since visitors would be sent elsewhere. In our own DNS, enter PROXYSRV as the '
        .'content of the A record.',
    'primary' => 'Main address of the site',
    'domain_statuses' => ['pending' => 'being set up', 'active' => 'active', 'failed' => 'failed', 'unknown' => 'not known'],
    'certificates' => [
        'none' => 'no certificate yet', 'pending' => 'certificate ordered', 'active' => 'certificate active',
        'failed' => 'no certificate', 'unknown' => 'certificate not known',
    ],

    'backups_used' => ':used of :allowed backups are used.',
    'no_backups' => 'No backups yet.',
    'backup_statuses' => ['creating' => 'being made', 'ready' => 'ready', 'deleting' => 'being deleted', 'unknown' => 'not known'],

    'confirm' => [
        'reset' => 'Reset the site to its first day? Everything that was done since is lost.',
        'roll_back' => 'Go back to :name? Everything that was done since is lost.',
        'backup' => 'Delete the backup :name? It cannot be brought back.',
        'domain' => 'Remove the domain :name? Visitors will not reach your site by it any more.',
        'anyway' => 'Delete these backups? They cannot be brought back.',
    ],

    'started' => [
        'start' => 'The site is being started.',
        'stop' => 'The site is being stopped.',
        'restart' => 'The site is being restarted.',
        'reset' => 'The reset has begun.',
        'on' => 'The site is being put online.',
        'off' => 'The site is being taken offline.',
        'domain_added' => 'The domain is being set up.',
        'domain_removed' => 'The domain is being removed.',
        'backup' => 'The backup has begun.',
        'backup_deleted' => 'The backup is being deleted.',
        'rolled_back' => 'Going back has begun.',
    ],
    'done' => [
        'start' => 'The site is running.',
        'stop' => 'The site is stopped.',
        'restart' => 'The site was restarted.',
        'reset' => 'The site is as on its first day.',
        'on' => 'The site is online: visitors reach it.',
        'off' => 'The site is offline: visitors do not reach it.',
        'domain_added' => 'The domain is set up.',
        'domain_removed' => 'The domain is removed.',
        'backup' => 'The backup is made.',
        'backup_deleted' => 'The backup is deleted.',
        'rolled_back' => 'The site is as it was at the backup.',
    ],

    'trouble' => [
        'not_yet' => 'Your site is not there yet. If you ordered it just now, it appears here by itself.',
        'not_active' => 'This service is not active at the moment.',
        'timeout' => 'The answer takes too long. Please try again in a moment.',
        'away' => 'This is not available at the moment. Please try again later.',
        'failed' => 'It did not succeed. Please try again, or contact us.',
    ],
];
