<?php
/*
 * What the hosting platform decides for this site, whatever stands in its wp-config.php. PHP runs this file before every
 * script, in the web server and on the command line; root writes it, and each run of the platform's scripts restores it.
 *
 * It defines nothing that a wp-config.php may define: constants come as defaults once that file has been read, at the first hook
 * WordPress has. Hooks set before WordPress starts are a feature of its own (wp-includes/plugin.php,
 * WP_Hook::build_preinitialized_hooks). It never fails and never prints; as root it reads root's files alone.
 */

namespace NodePoint;

const ROOT = '/var/www/wordpress';
const PRIMARY = '/etc/wordpress-primary-domain';
const PLATFORM = '/etc/wordpress-platform-domain';
const LOOPBACK = '/etc/nginx/loopback.pem';
const WATCHED = '/etc/nodepoint/watched'; // touched by each look of the platform's (health.sh, update.sh)
const WATCHED_FOR = 3 * 86400; // seconds
const NETWORK = '/run/nodepoint-cache/network'; // there: it is one; cron.php looks
const IN_FOLDERS = '/run/nodepoint-cache/folders'; // there: its sites are folders; nginx looks
const SAFE_MODE = ['/etc/nodepoint/safemode', '/run/nodepoint-safemode'];
const DEFAULTS = [
    'FS_METHOD' => 'direct',
    'DISALLOW_FILE_EDIT' => true,
    'WP_AUTO_UPDATE_CORE' => 'minor',
    'DISABLE_WP_CRON' => true, // the system's cron does it
    'WP_POST_REVISIONS' => 10,
    'CONCATENATE_SCRIPTS' => false,
];

begin();

function begin(): void
{
    if (PHP_SAPI === 'cli') {
        be_the_site();
    } elseif (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
        $_SERVER['HTTPS'] = 'on'; // the firewall lets nobody but the proxy say so
    }
    hook('wp_fatal_error_handler_enabled', 'configured');
    hook('option_siteurl', 'siteurl', 11); // what WP_SITEURL and WP_HOME say comes at 10
    hook('option_home', 'home', 11);
    hook('allow_minor_auto_core_updates', 'yes');
    hook('auto_update_core', 'by_itself', 1, 2);
    hook('send_core_update_notification_email', 'by_itself', 1, 2);
    hook('http_request_args', 'trusting_itself', 10, 2);
    hook('enable_maintenance_mode', 'maintenance');
    foreach (['admin_post_nopriv_nodepoint_login', 'admin_post_nodepoint_login'] as $act) {
        hook($act, 'login', 1);
    }
    hook('muplugins_loaded', 'answer_login_at_once');
    if (is_look()) {
        register_shutdown_function(__NAMESPACE__ . '\tell_what_failed');
    }
    require __DIR__ . '/pages.php';
    require __DIR__ . '/objects.php';
    if (is_safe()) {
        require __DIR__ . '/safemode.php';
    } elseif (PHP_SAPI !== 'cli') {
        prepend_theirs();
    }
}

/** For WordPress to find when it starts. $function: one of this namespace. */
function hook(string $name, string $function, int $priority = 10, int $arguments = 1): void
{
    $GLOBALS['wp_filter'][$name][$priority][] = [
        'function' => __NAMESPACE__ . '\\' . $function,
        'accepted_args' => $arguments,
    ];
}

/** Without these, plugins_url() and its like make http addresses, which end in mails and generated files. NODEPOINT_SITE: the one of
 * a network that it is, as `host/path/`. */
function be_the_site(): void
{
    [$name, $path] = explode('/', getenv('NODEPOINT_SITE') ?: primary(), 2) + [1 => ''];
    if ($name !== '') {
        $_SERVER += [
            'HTTPS' => 'on', 'HTTP_HOST' => $name, 'SERVER_NAME' => $name, 'SERVER_PORT' => '443', 'REQUEST_URI' => "/$path",
            'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_SCHEME' => 'https',
            'HTTP_X_FORWARDED_PROTO' => 'https', 'REMOTE_ADDR' => '127.0.0.1',
        ];
    }
}

// The name.

function word_in(string $file): string
{
    return is_readable($file) ? strtolower(trim((string) file_get_contents($file))) : '';
}

function primary(): string
{
    static $name;
    return $name ??= word_in(PRIMARY);
}

function host(): string
{
    return (string) preg_replace('/:\d+$/', '', strtolower($_SERVER['HTTP_HOST'] ?? ''));
}

/** The one name that the site has for itself. Whoever administers it gets in by the platform's, too, also while the primary one
 * leads elsewhere. */
function goes_by(): string
{
    static $name;
    if ($name === null) {
        $platform = PHP_SAPI === 'cli' ? '' : word_in(PLATFORM);
        $administers = $platform !== '' && host() === $platform
            && (preg_match('#^/wp-(?:admin/|login\.php)#', $_SERVER['REQUEST_URI'] ?? '')
                || preg_grep('/^wordpress_logged_in_/', array_keys($_COOKIE)));
        $name = $administers ? $platform : primary();
    }
    return $name;
}

/** A network of sites keeps its names in tables of its own, and leads strangers to its main site by itself. */
function is_named(): bool
{
    return goes_by() !== '' && !\is_multisite();
}

/** WordPress's own folder below the root; mostly ''. */
function folder(): string
{
    return str_starts_with(ABSPATH, ROOT . '/') ? rtrim(substr(ABSPATH, strlen(ROOT)), '/') : '';
}

function siteurl($stored)
{
    return is_named() ? 'https://' . goes_by() . folder() : $stored;
}

/** The folder of WordPress or the root above it, as it was stored. */
function home($stored)
{
    $path = is_string($stored) ? rtrim((string) parse_url($stored, PHP_URL_PATH), '/') : '';
    return is_named() ? 'https://' . goes_by() . ($path === folder() ? $path : '') : $stored;
}

// When wp-config.php has been read.

function configured($enabled)
{
    if (is_named()) {
        if (PHP_SAPI !== 'cli' && host() !== goes_by()) {
            header('Cache-Control: no-cache'); // a later switch makes no loop in browsers
            header('Location: https://' . goes_by() . ($_SERVER['REQUEST_URI'] ?? '/'), true, 301);
            exit;
        }
        // They only make the fields for it read-only: the hooks above decide.
        default_of('WP_SITEURL', 'https://' . goes_by() . folder());
        if (folder() === '') {
            default_of('WP_HOME', 'https://' . goes_by());
        }
    }
    foreach (DEFAULTS as $name => $value) {
        default_of($name, $value);
    }
    if (ABSPATH === ROOT . '/') {
        flag(NETWORK, \is_multisite());
        flag(IN_FOLDERS, \is_multisite() && !(defined('SUBDOMAIN_INSTALL') && \SUBDOMAIN_INSTALL));
    }
    return $enabled && !is_safe();
}

/** The file is there where it is so. */
function flag(string $file, bool $is): void
{
    if ($is !== file_exists($file)) {
        $is ? @touch($file) : @unlink($file);
    }
}

function default_of(string $name, $value): void
{
    if (!defined($name)) {
        define($name, $value);
    }
}

function yes(): bool
{
    return true;
}

/**
 * Minor releases are put in by the platform, which takes a snapshot first and looks at the site afterwards; by WordPress itself
 * once nobody has come by for days. Not said at allow_minor_auto_core_updates: Site Health calls that critical
 * (class-wp-site-health-auto-updates.php, test_accepts_minor_updates).
 */
function by_itself($yes, $offer)
{
    $branch = fn($version) => array_slice(preg_split('/[.-]/', (string) $version), 0, 2);
    return $yes && !($branch($offer->current ?? '') === $branch($GLOBALS['wp_version']) && is_watched());
}

/** A mark in the future, as a clock that jumped leaves it, tells nothing. */
function is_watched(): bool
{
    $age = is_file(WATCHED) ? time() - filemtime(WATCHED) : -1;
    return $age >= 0 && $age < WATCHED_FOR;
}

/** Calls to itself end at the container's own nginx, whose certificate WordPress's bundle does not know. */
function trusting_itself($arguments, $url)
{
    if (primary() !== '' && strtolower((string) parse_url((string) $url, PHP_URL_HOST)) === primary() && is_readable(LOOPBACK)) {
        $arguments['sslcertificates'] = LOOPBACK;
    }
    return $arguments;
}

/** What a .user.ini says of auto_prepend_file, as firewalls among the plugins do, has no effect beside this file: it is done here. */
function prepend_theirs(): void
{
    if (is_file(ROOT . '/.user.ini')) {
        $said = @parse_ini_file(ROOT . '/.user.ini');
        error_clear_last();
        $file = is_array($said) ? $said['auto_prepend_file'] ?? '' : '';
        if (is_string($file) && $file !== '' && is_file($file)) {
            require $file;
        }
    }
}

// Login links.

function login(): void
{
    require_once __DIR__ . '/login.php';
    answer();
}

/** wp-admin looks for updates before it answers, which takes long where the way out is slow. */
function answer_login_at_once(): void
{
    if (($_REQUEST['action'] ?? '') === 'nodepoint_login') {
        foreach (['core', 'plugins', 'themes'] as $updates) {
            \remove_action('admin_init', "_maybe_update_$updates");
        }
    }
}

// What keeps WordPress from answering, told to a look from inside: access.sh.

function is_look(): bool
{
    return isset($_SERVER['HTTP_X_NODEPOINT_LOOK']) && ($_SERVER['REMOTE_ADDR'] ?? '') === '127.0.0.1';
}

function maintenance($on)
{
    if ($on && !is_safe() && is_look()) {
        tell('maintenance', '.maintenance');
    }
    return $on && !is_safe();
}

function tell_what_failed(): void
{
    $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
    $error = error_get_last();
    if ($error === null || !($error['type'] & $fatal)) {
        if (class_exists('wpdb', false) && !($GLOBALS['wpdb']->ready ?? false)) { // WordPress ended while it connected
            tell('database', '-');
        }
        return;
    }
    $kinds = ['plugins' => 'plugin', 'themes' => 'theme', 'mu-plugins' => 'must-use'];
    // Whose file it is; of an exception thrown by WordPress for somebody, whose call it was.
    $where = preg_quote(ROOT, '#') . '/(?:wp-content/(?:(plugins|themes|mu-plugins)/([\w.-]+)|([\w-]+\.php))|(wp-config\.php)|(\.maintenance))';
    if (preg_match("#$where#", $error['file'] . "\n" . $error['message'], $found)) {
        match (count($found)) {
            3 => tell($kinds[$found[1]], $found[2]),
            4 => tell('drop-in', $found[3]),
            5 => tell('configuration', $found[4]),
            6 => tell('maintenance', $found[5]),
        };
    }
}

function tell(string $kind, string $name): void
{
    echo "\n<!-- nodepoint failed $kind $name -->\n";
}

function is_safe(): bool
{
    static $is;
    return $is ??= file_exists(SAFE_MODE[0]) || file_exists(SAFE_MODE[1])
        || (PHP_SAPI === 'cli' && getenv('NODEPOINT_SAFE') === '1');
}
