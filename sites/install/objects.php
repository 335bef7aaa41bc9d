<?php
/*
 * WordPress's object cache in Redis, without a file in the customer's folders: the platform's prepend.php takes this in. A drop-in
 * of his (wp-content/object-cache.php) goes before it. Without Redis, and in safe mode, WordPress works as it does by itself.
 */

namespace NodePoint\Objects;

use function NodePoint\hook;
use function NodePoint\is_safe;

const SOCKET = '/run/redis/site.sock';
const PATIENCE = 0.5; // seconds
// Somebody has changed the site past the cache: whoever uses it next empties it first.
const STALE = '/run/nodepoint-cache/objects.stale';

hook('enable_loading_object_cache_dropin', 'Objects\start');

/** Just before WordPress looks for a drop-in; with what is defined here it neither needs that nor its own. */
function start($wanted)
{
    $theirs = !$wanted || function_exists('wp_cache_init') || file_exists(WP_CONTENT_DIR . '/object-cache.php');
    $redis = $theirs || is_safe() ? null : connect();
    if ($redis === null) {
        note_stale();
        return $wanted;
    }
    require __DIR__ . '/object-cache.php';
    Cache::$redis = $redis;
    \wp_using_ext_object_cache(true);
    return false;
}

function connect(): ?\Redis
{
    if (!class_exists('Redis', false)) {
        return null;
    }
    try {
        $redis = new \Redis();
        $redis->pconnect(SOCKET, 0, PATIENCE, null, 0, PATIENCE);
        // Of many at once one empties it; the others wait for that in Redis.
        if (file_exists(STALE) && @unlink(STALE)) {
            $redis->flushDB();
        }
        return $redis;
    } catch (\RedisException) {
        return null;
    }
}

function note_stale(): void
{
    if (!file_exists(STALE)) {
        @touch(STALE);
    }
}
