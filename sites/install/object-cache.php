<?php
/*
 * What a drop-in object-cache.php defines: the functions that WordPress and its plugins call, and behind them WordPress's own cache
 * of one request with Redis underneath. Loaded by objects.php.
 */

namespace NodePoint\Objects {

require_once \ABSPATH . \WPINC . '/class-wp-object-cache.php';

const LONGEST = 3600; // seconds: whatever is wrong in the cache is right again after that
const LONGEST_OPTIONS = 60; // what one reads while another one writes may be stored after that
const LONGEST_TRANSIENT = 30 * 86400; // these are nowhere else
const TRANSIENTS = ['transient' => 1, 'site-transient' => 1];

final class Cache extends \WP_Object_Cache
{
    /** None once it has failed in this request. */
    public static ?\Redis $redis = null;
    private string $site;
    private string $blog = '';
    private array $unkept = [];

    public function __construct()
    {
        parent::__construct();
        // Other WordPresses in folders of this one have the same Redis.
        $this->site = substr(md5(\ABSPATH . \DB_NAME . $GLOBALS['table_prefix']), 0, 8);
        $this->switch_to_blog(\get_current_blog_id());
    }

    public function switch_to_blog($blog_id)
    {
        parent::switch_to_blog($blog_id);
        $this->blog = \is_multisite() ? (int) $blog_id . ':' : '';
    }

    public function add_unkept_groups($groups): void
    {
        $this->unkept += array_fill_keys((array) $groups, true);
    }

    public function add($key, $data, $group = 'default', $expire = 0)
    {
        if (!$this->is_kept($key, $group)) {
            return parent::add($key, $data, $group, $expire);
        }
        if (\wp_suspend_cache_addition() || $this->is_here($key, $group) || !$this->store($key, $data, $group, $expire, true)) {
            return false;
        }
        return parent::set($key, $data, $group, $expire);
    }

    public function replace($key, $data, $group = 'default', $expire = 0)
    {
        $this->get($key, $group, false, $found);
        return $found && $this->set($key, $data, $group, $expire);
    }

    public function set($key, $data, $group = 'default', $expire = 0)
    {
        if (!parent::set($key, $data, $group, $expire)) {
            return false;
        }
        if ($this->is_kept($key, $group)) {
            // Two who change one option each would undo one another in the list of all of them: the next one reads it anew.
            $key === 'alloptions' ? $this->drop($key, $group) : $this->store($key, $data, $group, $expire);
        }
        return true;
    }

    public function get($key, $group = 'default', $force = false, &$found = null)
    {
        $kept = $this->is_kept($key, $group);
        if (!$force || !$kept) {
            $data = parent::get($key, $group, $force, $found);
            if ($found || !$kept) {
                return $data;
            }
        }
        $name = $this->name($key, $group);
        $raw = $this->ask(fn($redis) => $redis->get($name));
        $found = is_string($raw);
        if (!$found) {
            return false;
        }
        parent::set($key, self::unpacked($raw), $group);
        return parent::get($key, $group);
    }

    public function get_multiple($keys, $group = 'default', $force = false)
    {
        $missing = array_values(array_filter((array) $keys, fn($key) => $this->is_kept($key, $group)
            && ($force || !$this->is_here($key, $group))));
        if ($missing) {
            $names = array_map(fn($key) => $this->name($key, $group), $missing);
            $found = $this->ask(fn($redis) => $redis->mget($names));
            foreach (is_array($found) ? $found : [] as $place => $raw) {
                if (is_string($raw)) {
                    parent::set($missing[$place], self::unpacked($raw), $group);
                }
            }
        }
        $values = [];
        foreach ((array) $keys as $key) {
            $values[$key] = parent::get($key, $group);
        }
        return $values;
    }

    public function delete($key, $group = 'default', $deprecated = false)
    {
        $here = parent::delete($key, $group);
        return $this->is_kept($key, $group) && $this->drop($key, $group) || $here;
    }

    public function incr($key, $offset = 1, $group = 'default')
    {
        return $this->counted($key, (int) $offset, $group);
    }

    public function decr($key, $offset = 1, $group = 'default')
    {
        return $this->counted($key, -(int) $offset, $group);
    }

    public function flush()
    {
        $this->ask(fn($redis) => $redis->flushDB());
        return parent::flush();
    }

    public function flush_runtime()
    {
        return parent::flush();
    }

    public function flush_group($group)
    {
        $at = null;
        $all = addcslashes("$this->site:$group:", '*?[]\\') . '*';
        while (is_array($names = $this->ask(function ($redis) use (&$at, $all) { return $redis->scan($at, $all, 1000); }))) {
            if ($names) {
                $this->ask(fn($redis) => $redis->unlink($names));
            }
        }
        return parent::flush_group($group);
    }

    private function counted($key, int $by, string $group)
    {
        $number = $this->get($key, $group, true, $found);
        if (!$found) {
            return false;
        }
        $name = $this->name($key, $group);
        $new = is_int($number) && $this->is_kept($key, $group) ? $this->ask(fn($redis) => $redis->incrBy($name, $by)) : false;
        if ($new === false || $new < 0) {
            $new = max(0, (is_numeric($number) ? (int) $number : 0) + $by);
            return $this->set($key, $new, $group) ? $new : false;
        }
        parent::set($key, $new, $group);
        return $new;
    }

    private function is_kept($key, $group): bool
    {
        return self::$redis !== null && !isset($this->unkept[$group ?: 'default']) && $this->is_key($key);
    }

    private function is_key($key): bool
    {
        return is_int($key) || is_string($key) && trim($key) !== '';
    }

    private function is_here($key, $group): bool
    {
        parent::get($key, $group, false, $found);
        return $found;
    }

    private function name($key, $group): string
    {
        $group = $group ?: 'default';
        return "$this->site:$group:" . (isset($this->global_groups[$group]) ? '' : $this->blog) . $key;
    }

    /** Whether it is there now; `$new`: only where nothing was. */
    private function store($key, $data, $group, $expire, bool $new = false): bool
    {
        $longest = isset(TRANSIENTS[$group]) ? LONGEST_TRANSIENT : LONGEST;
        $seconds = $expire > 0 ? min((int) $expire, $longest) : $longest;
        $seconds = $key === 'alloptions' ? LONGEST_OPTIONS : $seconds;
        [$name, $packed] = [$this->name($key, $group), self::packed($data)];
        $stored = $this->ask(fn($redis) => $redis->set($name, $packed, $new ? ['nx', 'ex' => $seconds] : ['ex' => $seconds]));
        return $stored || self::$redis === null; // without Redis the request has its own cache
    }

    private function drop($key, $group): bool
    {
        $name = $this->name($key, $group);
        return (bool) $this->ask(fn($redis) => $redis->unlink($name));
    }

    /** Whole numbers stay as they are: Redis counts them. */
    private static function packed($data): string
    {
        return is_int($data) ? (string) $data : '=' . (function_exists('igbinary_serialize') ? igbinary_serialize($data) : serialize($data));
    }

    private static function unpacked(string $raw)
    {
        if ($raw === '' || $raw[0] !== '=') {
            return (int) $raw;
        }
        return function_exists('igbinary_unserialize') ? igbinary_unserialize(substr($raw, 1)) : unserialize(substr($raw, 1));
    }

    /** False where it has none, and from the first failure on: what was changed then, nobody else hears of. */
    private function ask(\Closure $question)
    {
        try {
            return self::$redis ? $question(self::$redis) : false;
        } catch (\RedisException) {
            self::$redis = null;
            note_stale();
            return false;
        }
    }
}

}

namespace {

function wp_cache_init() { $GLOBALS['wp_object_cache'] = new NodePoint\Objects\Cache(); }
function wp_cache_close() { return true; }
function wp_cache_add($key, $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->add($key, $data, $group, (int) $expire); }
function wp_cache_add_multiple(array $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->add_multiple($data, $group, (int) $expire); }
function wp_cache_replace($key, $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->replace($key, $data, $group, (int) $expire); }
function wp_cache_set($key, $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->set($key, $data, $group, (int) $expire); }
function wp_cache_set_multiple(array $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->set_multiple($data, $group, (int) $expire); }
function wp_cache_get($key, $group = '', $force = false, &$found = null) { return $GLOBALS['wp_object_cache']->get($key, $group, $force, $found); }
function wp_cache_get_multiple($keys, $group = '', $force = false) { return $GLOBALS['wp_object_cache']->get_multiple($keys, $group, $force); }
function wp_cache_delete($key, $group = '') { return $GLOBALS['wp_object_cache']->delete($key, $group); }
function wp_cache_delete_multiple(array $keys, $group = '') { return $GLOBALS['wp_object_cache']->delete_multiple($keys, $group); }
function wp_cache_incr($key, $offset = 1, $group = '') { return $GLOBALS['wp_object_cache']->incr($key, $offset, $group); }
function wp_cache_decr($key, $offset = 1, $group = '') { return $GLOBALS['wp_object_cache']->decr($key, $offset, $group); }
function wp_cache_flush() { return $GLOBALS['wp_object_cache']->flush(); }
function wp_cache_flush_runtime() { return $GLOBALS['wp_object_cache']->flush_runtime(); }
function wp_cache_flush_group($group) { return $GLOBALS['wp_object_cache']->flush_group($group); }
function wp_cache_switch_to_blog($blog_id) { $GLOBALS['wp_object_cache']->switch_to_blog($blog_id); }
function wp_cache_add_global_groups($groups) { $GLOBALS['wp_object_cache']->add_global_groups($groups); }
function wp_cache_add_non_persistent_groups($groups) { $GLOBALS['wp_object_cache']->add_unkept_groups($groups); }
function wp_cache_reset() { $GLOBALS['wp_object_cache']->reset(); }

function wp_cache_supports($feature)
{
    return in_array($feature, ['add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime', 'flush_group'], true);
}

}
