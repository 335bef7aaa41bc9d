<?php
// Puts one host name in the place of another in the addresses that a site's tables hold.
//
// Standard input is a JSON object: user, password, socket and database of the site's own account; config, the path of
// wp-config.php; from, to; dry, whether it only counts. The last line of the output is `found TABLES CHANGES LEFT`: tables that
// hold such addresses, addresses, and values that hold one and stay as they are.
declare(strict_types=1);

require __DIR__ . '/addresses.php';

const LARGEST = 32 << 20;       // bytes of a value that is changed
const PAGE = 1000;              // rows that are looked at in one statement
const TEXTS = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];
const NUMBERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const BYTES = ['binary', 'varbinary'];
const PLAIN = ['date', 'datetime', 'timestamp', ...TEXTS, ...NUMBERS, ...BYTES];
const KEPT = ['guid', 'user_pass']; // a feed's readers know posts by their guid; a password's hash is no text
const REFUSED = [1062, 1264, 1366, 1406]; // by MariaDB: twice the same, out of range, not of the charset, too long
const ANEW = [1205, 1213];      // by MariaDB: a lock was waited for in vain, a deadlock

/** What wp-config.php says in so many words; it is not run. */
final class Config
{
    public string $prefix = '';
    public string $charset = 'utf8mb4';

    public function __construct(string $path)
    {
        $text = is_file($path) && filesize($path) < 1 << 20 ? (string) file_get_contents($path) : '';
        $kept = fn($token) => !is_array($token) || !in_array($token[0], [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true);
        $tokens = array_values(array_filter(token_get_all($text), $kept));
        foreach ($tokens as $at => $token) {
            $said = is_array($token) ? $token[1] : $token;
            if ($said === '$table_prefix' && ($tokens[$at + 1] ?? '') === '=') {
                $this->prefix = self::literal($tokens[$at + 2] ?? '') ?? $this->prefix;
            } elseif (in_array($said, ["'DB_CHARSET'", '"DB_CHARSET"'], true) && ($tokens[$at + 1] ?? '') === ',') {
                $this->charset = self::literal($tokens[$at + 2] ?? '') ?: $this->charset;
            }
        }
        if (str_starts_with(strtolower($this->charset), 'utf8')) { // as WordPress takes it, too
            $this->charset = 'utf8mb4';
        }
    }

    /** @param array{int, string, int}|string $token */
    private static function literal(array|string $token): ?string
    {
        return is_array($token) && preg_match('~\A([\'"])(\w*)\1\z~', $token[1], $found) ? $found[2] : null;
    }
}

/** The site's tables. */
final class Tables
{
    public int $touched = 0;
    private int $largest;

    public function __construct(private mysqli $db, private Config $config, private Addresses $addresses, private bool $dry)
    {
        $this->largest = min(LARGEST, (int) $this->rows('SELECT @@max_allowed_packet')[0][0] - 65536);
    }

    public function all(): void
    {
        foreach ($this->names($this->prefix()) as $table) {
            $before = $this->addresses->changes;
            $this->table($table);
            $this->touched += (int) ($this->addresses->changes > $before);
        }
    }

    private function prefix(): string
    {
        $found = array_map(fn($name) => substr($name, 0, -7), preg_grep('~options\z~', $this->names('')));
        if (in_array($this->config->prefix, $found, true)) {
            return $this->config->prefix;
        }
        // The shortest is that of a network's first site, and the beginning of all others.
        usort($found, fn($one, $other) => strlen($one) <=> strlen($other));
        if (!$found || array_filter($found, fn($prefix) => !str_starts_with($prefix, $found[0]))) {
            fwrite(STDERR, "nobody can tell which tables are WordPress's\n");
            exit(65);
        }
        return $found[0];
    }

    /** @return list<string> */
    private function names(string $prefix): array
    {
        $said = $this->rows("SELECT table_name FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name");
        return array_values(array_filter(array_column($said, 0), fn($name) => str_starts_with($name, $prefix)));
    }

    private function table(string $table): void
    {
        $columns = $this->columns($table);
        $keys = $this->keys($table);
        $changed = array_diff($columns, array_keys($keys), KEPT);
        if (!$changed) {
            return;
        }
        if (!$keys) {
            foreach ($changed as $column) {
                $this->withoutKey($table, $column);
            }
            return;
        }
        for ($last = null; $page = $this->page($table, $changed, $keys, $last); $last = end($page)) {
            $hits = array_filter($page, fn($row) => array_pop($row));
            for ($try = 1; $hits && !$this->whole(fn() => $this->change($table, $changed, $keys, $hits), $try); $try++);
        }
    }

    /** @return list<string> those that hold text as WordPress reads it */
    private function columns(string $table): array
    {
        $said = $this->rows("SELECT column_name, data_type, character_set_name FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = {$this->text($table)} AND extra NOT LIKE '%GENERATED%'");
        $readable = fn($row) => in_array($row[1], TEXTS, true)
            && ($this->config->charset === 'utf8mb4' || $row[2] === $this->config->charset);
        return array_column(array_filter($said, $readable), 0);
    }

    /** @return array<string, string> the columns by which a row is known, with their types; empty: none */
    private function keys(string $table): array
    {
        $said = $this->rows("SELECT index_name, s.column_name, data_type, sub_part, is_nullable
            FROM information_schema.statistics s JOIN information_schema.columns c USING (table_schema, table_name, column_name)
            WHERE table_schema = DATABASE() AND table_name = {$this->text($table)} AND non_unique = 0
            ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index");
        $indexes = [];
        foreach ($said as [$index, $column, $type, $part, $nullable]) {
            $fits = in_array($type, PLAIN, true) && $part === null && $nullable === 'NO';
            $indexes[$index][$column] = $fits ? $type : null;
        }
        foreach ($indexes as $keys) {
            if (!in_array(null, $keys, true)) {
                return $keys;
            }
        }
        return [];
    }

    /**
     * The keys of the next rows, and for each whether it may hold an address.
     * @param array<string> $columns
     * @param array<string, string> $keys
     * @param ?array<string> $last
     * @return list<array<string>>
     */
    private function page(string $table, array $columns, array $keys, ?array $last): array
    {
        $names = implode(', ', array_map($this->name(...), array_keys($keys)));
        $hit = implode(' OR ', array_map($this->holds(...), $columns));
        $where = $last === null ? '' : 'WHERE ' . $this->behind($keys, $last);
        return $this->rows("SELECT $names, COALESCE($hit, 0) FROM {$this->name($table)} $where ORDER BY $names LIMIT " . PAGE);
    }

    private function holds(string $column): string
    {
        $text = "CONVERT({$this->name($column)} USING utf8mb4) COLLATE utf8mb4_general_ci";
        $like = fn($name) => "COALESCE($text LIKE {$this->text('%' . addcslashes($name, '%_\\') . '%')}, 0)";
        return implode(' OR ', array_map($like, $this->addresses->names));
    }

    /**
     * @param array<string, string> $keys
     * @param array<string> $last
     */
    private function behind(array $keys, array $last): string
    {
        $parts = $equal = [];
        foreach (array_keys($keys) as $at => $key) {
            $value = $this->value($keys[$key], $last[$at]);
            $parts[] = implode(' AND ', [...$equal, "{$this->name($key)} > $value"]);
            $equal[] = "{$this->name($key)} = $value";
        }
        $first = array_key_first($keys); // said once more, so that the index is used
        return "{$this->name($first)} >= {$this->value($keys[$first], $last[0])} AND ((" . implode(') OR (', $parts) . '))';
    }

    /** What is done at once: all of it, or nothing and again. */
    private function whole(Closure $work, int $try): bool
    {
        [$changes, $left] = [$this->addresses->changes, $this->addresses->left];
        $this->db->begin_transaction();
        try {
            $work();
            $this->db->commit();
            return true;
        } catch (mysqli_sql_exception $error) {
            $this->db->rollback();
            [$this->addresses->changes, $this->addresses->left] = [$changes, $left];
            if ($try === 3 || !in_array($error->getCode(), ANEW, true)) {
                throw $error;
            }
            return false;
        }
    }

    /**
     * @param array<string> $columns
     * @param array<string, string> $keys
     * @param array<array<string>> $rows
     */
    private function change(string $table, array $columns, array $keys, array $rows): void
    {
        foreach ($rows as $row) {
            $is = fn($key, $type, $value) => "{$this->name($key)} = {$this->value($type, $value)}";
            $where = implode(' AND ', array_map($is, array_keys($keys), $keys, array_slice($row, 0, count($keys))));
            foreach ($columns as $column) {
                $this->cell($table, $column, $where);
            }
        }
    }

    /** One value at a time, however many rows and columns there are. */
    private function cell(string $table, string $column, string $where): bool
    {
        $name = $this->name($column);
        $lock = $this->dry ? '' : 'FOR UPDATE';
        $from = "FROM {$this->name($table)} WHERE $where AND ({$this->holds($column)}) LIMIT 1 $lock";
        $found = $this->rows("SELECT IF(LENGTH($name) > $this->largest, NULL, $name) $from");
        if (!$found) {
            return false;
        }
        if ($found[0][0] === null) {
            $this->addresses->left++;
            return false;
        }
        $old = $found[0][0];
        $changes = $this->addresses->changes;
        $new = $this->addresses->in($old);
        if ($new === $old || $this->dry) {
            return false;
        }
        if (strlen($new) <= $this->largest && $this->written($table, $name, $where, $new)) {
            return true;
        }
        $this->addresses->changes = $changes;
        $this->addresses->left++;
        return false;
    }

    private function written(string $table, string $name, string $where, string $new): bool
    {
        try {
            $update = $this->db->prepare("UPDATE {$this->name($table)} SET $name = ? WHERE $where LIMIT 1");
            $update->execute([$new]);
            return true;
        } catch (mysqli_sql_exception $error) {
            if (in_array($error->getCode(), REFUSED, true)) {
                return false;
            }
            throw $error;
        }
    }

    /** Rows that nothing tells apart are known by the value itself; those that stay as they are, are passed over. */
    private function withoutKey(string $table, string $column): void
    {
        $name = $this->name($column);
        for ($kept = 0; ; ) {
            $where = $this->holds($column);
            $found = $this->rows("SELECT MD5(CAST($name AS BINARY)) FROM {$this->name($table)} WHERE $where LIMIT $kept, 1");
            if (!$found) {
                return;
            }
            $changed = false;
            $is = "MD5(CAST($name AS BINARY)) = {$this->text($found[0][0])}";
            for ($try = 1; !$this->whole(function () use ($table, $column, $is, &$changed) {
                $changed = $this->cell($table, $column, $is);
            }, $try); $try++);
            $kept += (int) !$changed;
        }
    }

    private function value(string $type, ?string $value): string
    {
        return match (true) {
            in_array($type, NUMBERS, true) => (string) $value, // as text it would be compared as a float
            in_array($type, BYTES, true) => "x'" . bin2hex((string) $value) . "'",
            default => $this->text((string) $value),
        };
    }

    private function name(string $name): string
    {
        return '`' . str_replace('`', '``', $name) . '`';
    }

    private function text(string $text): string
    {
        return "'" . $this->db->real_escape_string($text) . "'";
    }

    /** @return list<list<?string>> */
    private function rows(string $sql): array
    {
        return $this->db->query($sql)->fetch_all(MYSQLI_NUM);
    }
}

set_exception_handler(function (Throwable $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(70);
});
$given = json_decode((string) stream_get_contents(STDIN), true, 4, JSON_THROW_ON_ERROR);
$config = new Config($given['config']);
$addresses = new Addresses($given['from'], $given['to']);
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli('localhost', $given['user'], $given['password'], $given['database'], 0, $given['socket']);
$db->set_charset($config->charset);
// Strict: what does not fit any more is refused, not cut short.
$db->query("SET SESSION sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 60, lock_wait_timeout = 20, innodb_lock_wait_timeout = 20");
$tables = new Tables($db, $config, $addresses, (bool) $given['dry']);
$tables->all();
echo "\nfound $tables->touched $addresses->changes $addresses->left\n";
