<?php
// Steps of an import, each as the site's user: `unzip`, `arrange`, `tables`, `config`, `swap`. What they need beside their
// arguments is a JSON object on standard input. The last line of the output is the answer; 65: what was given is of no use.
declare(strict_types=1);

const MOST_FILES = 1_000_000;
const DEEPEST_ROOT = 5; // folders above wp-content
// Of the host it comes from: caches in front of it, and programs of its that PHP would begin with.
const LEFT_BEHIND = ['wp-config.php', '.user.ini', 'php.ini', '.maintenance', 'wp-content/object-cache.php', 'wp-content/advanced-cache.php'];

function useless(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(65);
}

/** The archive's files, whose sizes are counted before, and held to while they are written. Links become what they say. */
function unzip(string $archive, string $folder, int $most): void
{
    $zip = new ZipArchive();
    if ($zip->open($archive, ZipArchive::RDONLY) !== true) {
        useless('the archive cannot be read');
    }
    $bytes = 0;
    for ($at = 0; $at < $zip->numFiles; $at++) {
        $entry = $zip->statIndex($at);
        $bytes += $entry['size'];
        if (preg_match('~(?:\A|/)\.\.(?:/|\z)|\A/|[\\\\\0]~', $entry['name'])) {
            useless('the archive holds a path that leads out of it');
        }
    }
    if ($bytes > $most || $zip->numFiles > MOST_FILES) {
        fwrite(STDERR, "unpacked it has $bytes bytes\n");
        exit(66);
    }
    for ($at = 0; $at < $zip->numFiles; $at++) {
        entry($zip, $zip->statIndex($at), $folder);
    }
}

function entry(ZipArchive $zip, array $entry, string $folder): void
{
    $path = "$folder/{$entry['name']}";
    $parent = str_ends_with($path, '/') ? $path : dirname($path);
    if (!is_dir($parent) && !mkdir($parent, 0755, true)) {
        useless('a folder of the archive cannot be made');
    }
    if (str_ends_with($path, '/')) {
        return;
    }
    $from = $zip->getStreamIndex($entry['index']);
    $to = fopen($path, 'xb');
    if (!$from || !$to || stream_copy_to_stream($from, $to, $entry['size'] + 1) !== $entry['size']) {
        useless('a file of the archive is broken, or there twice');
    }
    fclose($to);
}

/** The site goes into $new, its dump to $dump; says how many bytes that has, and whether WordPress itself came along. */
function arrange(string $folder, string $new, string $dump, int $most): void
{
    [$roots, $dumps] = found($folder);
    if (!$roots) {
        useless('there is no folder wp-content in it');
    }
    if (!$dumps) {
        useless('there is no dump of a database (.sql, .sql.gz) in it');
    }
    $taken = dump_of($dumps);
    written($taken, $dump, $most);
    unlink($taken);
    usort($roots, fn($one, $other) => strlen($one) <=> strlen($other));
    foreach (array_diff(scandir($roots[0]), ['.', '..']) as $name) {
        rename("{$roots[0]}/$name", "$new/$name");
    }
    foreach (LEFT_BEHIND as $name) {
        if (is_file("$new/$name")) {
            unlink("$new/$name");
        }
    }
    $whole = is_file("$new/wp-includes/version.php") && is_dir("$new/wp-admin") && is_file("$new/wp-load.php");
    echo "\narranged ", filesize($dump), $whole ? ' whole' : ' part', "\n";
}

/** @return array{list<string>, array<string, int>} folders that hold wp-content; dumps with their sizes */
function found(string $folder): array
{
    $roots = $dumps = [];
    $walk = new RecursiveIteratorIterator(
        new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS | FilesystemIterator::CURRENT_AS_FILEINFO),
        RecursiveIteratorIterator::SELF_FIRST,
    );
    foreach ($walk as $path => $file) {
        if ($file->isDir() && $file->getFilename() === 'wp-content' && $walk->getDepth() <= DEEPEST_ROOT) {
            $roots[] = dirname($path);
        } elseif ($file->isFile() && preg_match('~\.sql(?:\.gz)?\z~i', $path) && !str_contains($path, '/plugins/')) {
            $dumps[$path] = $file->getSize();
        }
    }
    return [$roots, $dumps];
}

/** That of an export of ours, else the largest: a site may hold dumps of its own that are larger. */
function dump_of(array $dumps): string
{
    $ours = preg_grep('~/nodepoint-export\.sql\.gz\z~', array_keys($dumps));
    usort($ours, fn($one, $other) => strlen($one) <=> strlen($other));
    arsort($dumps);
    return $ours[0] ?? array_key_first($dumps);
}

function written(string $from, string $dump, int $most): void
{
    [$in, $out] = [fopen("compress.zlib://$from", 'rb'), fopen($dump, 'wb')]; // what is not compressed is read as it is
    for ($bytes = 0; !feof($in); $bytes += strlen($piece)) {
        $piece = (string) fread($in, 1 << 20);
        if ($bytes > $most || fwrite($out, $piece) !== strlen($piece)) {
            fwrite(STDERR, "the dump has more than $bytes bytes\n");
            exit(66);
        }
    }
}

function connection(array $given): mysqli
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $db = new mysqli('localhost', $given['user'], $given['password'], '', 0, $given['socket']);
    $db->query("SET SESSION max_statement_time = 60, lock_wait_timeout = 20");
    return $db;
}

/** @return list<string> */
function names(mysqli $db, string $database): array
{
    $said = $db->query("SELECT table_name FROM information_schema.tables
        WHERE table_schema = '{$db->real_escape_string($database)}' AND table_type = 'BASE TABLE'");
    return array_column($said->fetch_all(), 0);
}

/** The prefix of the imported tables, and the host names that they have for the site. */
function tables(mysqli $db, string $database): void
{
    $names = names($db, $database);
    $prefixes = array_map(fn($name) => substr($name, 0, -7), preg_grep('~\A\w*options\z~', $names));
    $whole = array_filter($prefixes, fn($prefix) => !array_diff(["{$prefix}posts", "{$prefix}users"], $names));
    usort($whole, fn($one, $other) => strlen($one) <=> strlen($other));
    if (!$whole) {
        useless("the dump does not hold WordPress's tables");
    }
    $said = $db->query("SELECT option_value FROM `$database`.`{$whole[0]}options` WHERE option_name IN ('home', 'siteurl')");
    $hosts = array_map(fn($row) => strtolower((string) parse_url((string) $row[0], PHP_URL_HOST)), $said->fetch_all());
    $hosts = preg_grep('~\A[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\z~', array_unique($hosts));
    // MariaDB moves no table that has triggers to another database. WordPress has none, and those of a plugin come back with it.
    $said = $db->query("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '{$db->real_escape_string($database)}'");
    foreach (array_column($said->fetch_all(), 0) as $name) {
        $db->query("DROP TRIGGER `$database`.`" . str_replace('`', '``', $name) . '`');
    }
    echo "\ntables '{$whole[0]}' ", implode(' ', $hosts), "\n";
}

/** wp-config.php as it is, but for the prefix of the tables. */
function config(string $from, string $to, string $prefix): void
{
    $tokens = token_get_all((string) file_get_contents($from));
    $made = '';
    for ($found = $at = 0; $at < count($tokens); $at++) {
        $token = $tokens[$at];
        $said = is_array($token) ? $token[1] : $token;
        if ($said === '$table_prefix') {
            $found = 1;
        } elseif ($found === 1 && is_array($token) && $token[0] === T_CONSTANT_ENCAPSED_STRING) {
            [$said, $found] = ["'$prefix'", 2];
        } elseif ($said === ';' && $found === 1) {
            $found = 0;
        }
        $made .= $said;
    }
    if ($found !== 2) {
        useless('wp-config.php does not say the prefix of its tables in so many words');
    }
    file_put_contents($to, $made);
    chmod($to, 0640);
}

/** All tables at once: what is in $from goes to $to, whose own go to $aside. Nothing where $from is empty. */
function swap(mysqli $db, string $from, string $to, string $aside): void
{
    $move = fn($name, $one, $other) => "`$one`.`" . str_replace('`', '``', $name) . "` TO `$other`.`" . str_replace('`', '``', $name) . '`';
    $come = array_map(fn($name) => $move($name, $from, $to), names($db, $from));
    if (!$come) {
        return;
    }
    $go = array_map(fn($name) => $move($name, $to, $aside), names($db, $to));
    $db->query('RENAME TABLE ' . implode(', ', [...$go, ...$come]));
}

set_exception_handler(function (Throwable $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(70);
});
[, $act, $one, $other, $third] = [...$argv, '', '', ''];
match ($act) {
    'unzip' => unzip($one, $other, (int) $third),
    'arrange' => arrange($one, $other, dirname($one) . '/dump.sql', (int) $third),
    'config' => config($one, $other, $third),
    'tables' => tables(connection(json_decode((string) stream_get_contents(STDIN), true)), $one),
    'swap' => swap(connection(json_decode((string) stream_get_contents(STDIN), true)), $one, $other, $third),
};
