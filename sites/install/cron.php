<?php
/*
 * The site's scheduled tasks: the system's cron runs this as the site's user. In a network each site has tasks of its own, which
 * WordPress leaves to visits of that site. The platform's prepend.php comes before it.
 */

namespace NodePoint;

const MOST_SITES = 1000;
const AHEAD = 600; // seconds; what is later than this was written by a wrong clock, as spawn_cron() of WordPress has it
const CLOCK = '/run/nodepoint-cache/clock'; // the time of the last run
const WAS_AHEAD = 'NODEPOINT_CLOCK_WAS_AHEAD';

if (($argv[1] ?? '') === 'here') {
    hook('pre_get_ready_cron_jobs', 'wake', 5);
    chdir(ROOT);
    require ROOT . '/wp-cron.php';
    exit;
}
if ((int) @file_get_contents(CLOCK) > time() + AHEAD) {
    putenv(WAS_AHEAD . '=1');
}
@file_put_contents(CLOCK, time());
do_tasks('');
if (file_exists(NETWORK)) {
    foreach (sites_with_tasks() as $site) {
        do_tasks($site);
    }
}

/** WordPress is one site for as long as a process lasts. $site: `host/path/`; '': the one that all names lead to. */
function do_tasks(string $site): void
{
    putenv("NODEPOINT_SITE=$site");
    passthru(escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg(__FILE__) . ' here');
}

/** In no order: where there is no time for all, the next run begins with others. */
function sites_with_tasks(): array
{
    chdir(ROOT);
    require_once ROOT . '/wp-load.php';
    $found = [];
    $alive = ['number' => MOST_SITES, 'archived' => 0, 'deleted' => 0, 'spam' => 0];
    foreach (\get_sites($alive + ['site__not_in' => [\get_main_site_id()]]) as $site) {
        \switch_to_blog((int) $site->blog_id);
        if (\wp_get_ready_cron_jobs()) {
            $found[] = $site->domain . $site->path;
        }
        \restore_current_blog();
    }
    shuffle($found);
    return $found;
}

/** What a clock that was ahead has left behind would keep WordPress waiting for as long: its lock, its looks for updates (it takes
 * none while the last one is less than a day old), and the next time of whatever recurs. */
function wake($given)
{
    if ((float) \get_transient('doing_cron') > microtime(true) + AHEAD) {
        \delete_transient('doing_cron');
    }
    $was_ahead = getenv(WAS_AHEAD) === '1';
    foreach (['update_core', 'update_plugins', 'update_themes'] as $look) {
        if ((\get_site_transient($look)->last_checked ?? 0) > time() + AHEAD) {
            \delete_site_transient($look);
            $was_ahead = true;
        }
    }
    if ($was_ahead) {
        bring_back_tasks();
    }
    return $given;
}

function bring_back_tasks(): void
{
    foreach (\_get_cron_array() as $at => $hooks) {
        foreach ($hooks as $hook => $tasks) {
            foreach ($tasks as $task) {
                if (!empty($task['interval']) && $at > time() + $task['interval']) {
                    \wp_unschedule_event($at, $hook, $task['args']);
                    \wp_schedule_event(time(), $task['schedule'], $hook, $task['args']);
                }
            }
        }
    }
}
