<?php
define('AUTH_KEY', '0000000000000000000000000000000000000000000000000000000000000000');
define('SECURE_AUTH_KEY', '1111111111111111111111111111111111111111111111111111111111111111');
define('LOGGED_IN_KEY', '2222222222222222222222222222222222222222222222222222222222222222');
define('NONCE_KEY', '3333333333333333333333333333333333333333333333333333333333333333');
define('AUTH_SALT', '4444444444444444444444444444444444444444444444444444444444444444');
define('SECURE_AUTH_SALT', '5555555555555555555555555555555555555555555555555555555555555555');
define('LOGGED_IN_SALT', '6666666666666666666666666666666666666666666666666666666666666666');
define('NONCE_SALT', '7777777777777777777777777777777777777777777777777777777777777777');
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'PASSWORD');
define('DB_HOST', 'localhost:/run/mysqld/mysqld.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

// The one name that the site has for itself; every other one leads there.
$primary_domain = trim((string) file_get_contents('/etc/wordpress-primary-domain'));
// Whoever administers it gets in by the platform's name too, also while the primary one leads elsewhere.
$platform_domain = is_readable('/etc/wordpress-platform-domain') ? trim((string) file_get_contents('/etc/wordpress-platform-domain')) : '';
if ($platform_domain !== '' && strtolower($_SERVER['HTTP_HOST'] ?? '') === $platform_domain
    && (preg_match('#^/wp-(?:admin/|login\.php)#', $_SERVER['REQUEST_URI'] ?? '') || preg_grep('/^wordpress_logged_in_/', array_keys($_COOKIE)))) {
    $primary_domain = $platform_domain;
}
define('WP_HOME', 'https://' . $primary_domain);
define('WP_SITEURL', 'https://' . $primary_domain);
if (PHP_SAPI !== 'cli' && preg_replace('/:\d+$/', '', strtolower($_SERVER['HTTP_HOST'] ?? '')) !== $primary_domain) {
    header('Cache-Control: no-cache');
    header('Location: https://' . $primary_domain . ($_SERVER['REQUEST_URI'] ?? '/'), true, 301);
    exit;
}
// The firewall lets nobody in but the proxy, so that this can be believed.
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}

define('FS_METHOD', 'direct');
define('DISALLOW_FILE_EDIT', true);
define('WP_AUTO_UPDATE_CORE', 'minor');
define('DISABLE_WP_CRON', true);
define('WP_POST_REVISIONS', 10);
define('CONCATENATE_SCRIPTS', false);
define('WP_MEMORY_LIMIT', '256M');
define('WP_DEBUG', false);
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
