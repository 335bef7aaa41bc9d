<?php
// Steps of an export, each as the site's user; standard input is a JSON object: user, password and socket of the site's own
// account. `measure DATABASE`: how many bytes its tables hold (`measured BYTES`). `config DATABASE FILE`: a wp-config.php without
// anything that is secret.
declare(strict_types=1);

// What a network of sites is lost without; it is of these kinds alone.
const KEPT_CONSTANTS = ['WP_ALLOW_MULTISITE', 'MULTISITE', 'SUBDOMAIN_INSTALL', 'DOMAIN_CURRENT_SITE', 'PATH_CURRENT_SITE',
    'SITE_ID_CURRENT_SITE', 'BLOG_ID_CURRENT_SITE'];
const LITERALS = [T_CONSTANT_ENCAPSED_STRING, T_LNUMBER];

function connection(array $given): mysqli
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $db = new mysqli('localhost', $given['user'], $given['password'], '', 0, $given['socket']);
    $db->query('SET SESSION max_statement_time = 60, lock_wait_timeout = 20');
    return $db;
}

function measure(mysqli $db, string $database): int
{
    $said = $db->query("SELECT COALESCE(SUM(data_length), 0) FROM information_schema.tables
        WHERE table_schema = '{$db->real_escape_string($database)}' AND table_type = 'BASE TABLE'");
    return (int) $said->fetch_row()[0];
}

/** The prefix of the tables: what wp-config.php says in so many words, else the shortest of those that WordPress has. */
function prefix(mysqli $db, string $database, array $tokens): string
{
    foreach ($tokens as $at => $token) {
        if (said($token) === '$table_prefix' && said($tokens[$at + 1] ?? '') === '='
            && preg_match('~\A([\'"])(\w{1,60})\1\z~', said($tokens[$at + 2] ?? ''), $found)) {
            return $found[2];
        }
    }
    $said = $db->query("SELECT table_name FROM information_schema.tables WHERE table_schema = '{$db->real_escape_string($database)}'
        AND table_name REGEXP '^[A-Za-z0-9_]*options$' ORDER BY LENGTH(table_name) LIMIT 1");
    return substr((string) ($said->fetch_row()[0] ?? 'wp_options'), 0, -7);
}

function said(array|string $token): string
{
    return is_array($token) ? $token[1] : $token;
}

/** @return list<string> lines that define the constants of a network, as they stand in the file */
function network(array $tokens): array
{
    $lines = [];
    foreach ($tokens as $at => $token) {
        if (strtolower(said($token)) !== 'define' || said($tokens[$at + 1] ?? '') !== '(' || said($tokens[$at + 3] ?? '') !== ',') {
            continue;
        }
        [$name, $value] = [trim(said($tokens[$at + 2]), '\'"'), $tokens[$at + 4] ?? ''];
        $plain = in_array(strtolower(said($value)), ['true', 'false'], true) || (is_array($value) && in_array($value[0], LITERALS, true));
        if (in_array($name, KEPT_CONSTANTS, true) && $plain && said($tokens[$at + 5] ?? '') === ')') {
            $lines[] = "define( '$name', " . said($value) . ' );';
        }
    }
    return $lines;
}

function config(mysqli $db, string $database, string $path): string
{
    $text = is_file($path) && filesize($path) < 1 << 20 ? (string) file_get_contents($path) : '';
    $blank = [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT];
    $tokens = array_values(array_filter(token_get_all($text), fn($token) => !is_array($token) || !in_array($token[0], $blank, true)));
    $salts = ['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'];
    return implode("\n", [
        '<?php',
        '// Names of the database and eight phrases of your own belong here. An import by the platform needs none of it.',
        ...array_map(fn($name) => "define( '$name', '' );", ['DB_NAME', 'DB_USER', 'DB_PASSWORD']),
        "define( 'DB_HOST', 'localhost' );",
        "define( 'DB_CHARSET', 'utf8mb4' );",
        "define( 'DB_COLLATE', '' );",
        ...array_map(fn($name) => "define( '$name', 'put your unique phrase here' );", $salts),
        "\$table_prefix = '" . prefix($db, $database, $tokens) . "';",
        ...network($tokens),
        "if ( ! defined( 'ABSPATH' ) ) {",
        "    define( 'ABSPATH', __DIR__ . '/' );",
        '}',
        "require_once ABSPATH . 'wp-settings.php';",
        '',
    ]);
}

set_exception_handler(function (Throwable $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(70);
});
[, $act, $database, $path] = [...$argv, '', '', ''];
$db = connection(json_decode((string) stream_get_contents(STDIN), true));
echo $act === 'config' ? config($db, $database, $path) : "measured " . measure($db, $database) . "\n";
