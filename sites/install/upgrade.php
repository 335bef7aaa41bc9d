<?php
// The database, brought to what the code wants that is there now.
define('WP_INSTALLING', true);
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_upgrade();
