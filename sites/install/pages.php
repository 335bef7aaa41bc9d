<?php
/*
 * The page cache's part in PHP: which pages nginx may keep for other visitors, and when it has to forget them. The platform's
 * prepend.php takes it in; nginx's part is pages.sh, which says what may be asked of the cache (NODEPOINT_PAGES).
 *
 * A page is kept only where this says so, at the last moment and of the whole page. On a change all pages go: a post shows up in
 * lists, menus, feeds and other posts' margins, and nobody knows in which. nginx misses deleted files without complaint, so that
 * www-data needs no module and no right for it.
 */

namespace NodePoint\Pages;

use function NodePoint\hook;
use function NodePoint\is_safe;

const FOLDER = '/run/nodepoint-pages';
const GENERATION = '/run/nodepoint-cache/generation';
const LONGEST = 3600; // seconds; what no hook tells of is shown this long
// The page of a request with any other head is not kept: what a plugin makes of it would be everybody's.
const USUAL_HEAD = '/^HTTP_(?:HOST|USER_AGENT|ACCEPT|ACCEPT_(?:ENCODING|LANGUAGE|CHARSET)|CONNECTION|COOKIE|REFERER|CACHE_CONTROL|PRAGMA|'
    . 'UPGRADE_INSECURE_REQUESTS|DNT|SAVE_DATA|SEC_[A-Z_]+|PRIORITY|TE|FROM|X_FORWARDED_(?:FOR|PROTO|SCHEME)|X_REAL_IP|VIA|CDN_LOOP|CF_[A-Z_]+)$/';
const CHANGES = [
    'wp_update_nav_menu', 'edited_term', 'delete_term', 'edit_comment', 'profile_update', 'deleted_user', 'switch_theme',
    'customize_save_after', 'activated_plugin', 'deactivated_plugin', 'upgrader_process_complete', 'update_option_active_plugins',
    'update_option_sidebars_widgets', 'update_option_sticky_posts', 'update_option_blogname', 'update_option_page_on_front',
    'woocommerce_product_set_stock', 'woocommerce_variation_set_stock', 'woocommerce_product_set_stock_status', 'wp_insert_site', 'wp_update_site',
    'wp_delete_site', 'nodepoint_forget_pages',
    // A plugin that caches, too, was told to empty its cache.
    'w3tc_flush_all', 'w3tc_flush_posts', 'wp_cache_cleared', 'after_rocket_clean_domain', 'litespeed_purged_all',
    'autoptimize_action_cachepurged', 'cache_enabler_complete_cache_cleared',
];
const EDITS = ['updated_option', 'added_option', 'deleted_option', 'added_post_meta', 'updated_post_meta', 'deleted_post_meta'];
// What WordPress and plugins note by the way.
const NOTES = '/^(?:_(?:site_)?transient_|_edit_|_wp_(?:old_|trash_)|cron$|rewrite_rules$|recently_activated$|action_scheduler|auto_updater)/';
const UNSEEN = ['auto-draft', 'draft', 'pending'];
const SEEN_PARTS = ['wp_block', 'wp_navigation', 'wp_template', 'wp_template_part', 'wp_global_styles', 'nav_menu_item', 'custom_css', 'product_variation'];

function begin(): void
{
    if (!is_dir(FOLDER)) {
        return;
    }
    if (($_SERVER['NODEPOINT_PAGES'] ?? '') === '1' && !is_safe()) {
        began_with();
        hook('template_redirect', 'Pages\watch', -1000);
    }
    hook('clean_post_cache', 'Pages\post_changed', 10, 2);
    hook('transition_post_status', 'Pages\status_changed', 10, 3);
    foreach (CHANGES as $change) {
        hook($change, 'Pages\forget', 10, 0);
    }
    foreach (EDITS as $edit) {
        hook($edit, str_ends_with($edit, 'meta') ? 'Pages\meta_edited' : 'Pages\edited', 10, 3);
    }
}

// Keeping.

function watch(): void
{
    ob_start(__NAMESPACE__ . '\finish');
}

/** Of the whole page, before its head is sent. */
function finish(string $page, int $phase): string
{
    static $whole = true;
    if (!($phase & PHP_OUTPUT_HANDLER_FINAL) || $phase & PHP_OUTPUT_HANDLER_CLEAN) {
        $whole = false; // part of it is gone already, or never comes
    } elseif ($whole && strlen($page) > 255 && is_for_everybody() && ($seconds = seconds()) > 0) {
        header("X-Accel-Expires: $seconds");
        register_shutdown_function(__NAMESPACE__ . '\forget_if_overtaken');
    }
    return $page;
}

function is_for_everybody(): bool
{
    return http_response_code() === 200 && !headers_sent() && generation() === began_with()
        && !(defined('DONOTCACHEPAGE') && \DONOTCACHEPAGE) && session_status() !== PHP_SESSION_ACTIVE
        && !\is_user_logged_in() && !\is_search() && !\is_404() && !\is_preview() && !\is_customize_preview()
        && !preg_grep(USUAL_HEAD, preg_grep('/^HTTP_/', array_keys($_SERVER)), PREG_GREP_INVERT);
}

/** How long it may be kept: as its own head says, LONGEST at most. */
function seconds(): int
{
    $seconds = LONGEST;
    foreach (headers_list() as $line) {
        [$name, $value] = explode(':', strtolower($line), 2);
        if ($name === 'set-cookie' || $name === 'cache-control' && preg_match('/no-cache|no-store|private/', $value)) {
            return 0;
        }
        if ($name === 'cache-control' && preg_match('/(?:s-maxage|max-age)=(\d+)/', $value, $found)) {
            $seconds = min($seconds, (int) $found[1]);
        }
    }
    return $seconds;
}

/** What has changed while the page was made is not in it. By now nginx has stored it, or is about to. */
function forget_if_overtaken(): void
{
    if (function_exists('fastcgi_finish_request')) {
        fastcgi_finish_request();
    }
    if (generation() !== began_with()) {
        usleep(200_000);
        sweep();
    }
}

function generation(): string
{
    return (string) @file_get_contents(GENERATION);
}

function began_with(): string
{
    static $generation;
    return $generation ??= generation();
}

// Forgetting.

function post_changed($id, $post): void
{
    if (is_seen($post) && !in_array($post->post_status, UNSEEN, true)) {
        forget();
    }
}

function status_changed($new, $old, $post): void
{
    if ($new !== $old && in_array('publish', [$new, $old], true) && is_seen($post)) {
        forget();
    }
}

/** Orders, revisions and logs of plugins are posts, too. */
function is_seen($post): bool
{
    return in_array($post->post_type, SEEN_PARTS, true) || \is_post_type_viewable($post->post_type);
}

function meta_edited($id, $post, $name): void
{
    edited($name);
}

/** Settings and the like: what somebody who edits the site changes there by hand, and nothing that visits leave behind. */
function edited($name): void
{
    if (($_SERVER['REQUEST_METHOD'] ?? '') === 'POST' && ($_POST['action'] ?? '') !== 'heartbeat' && !preg_match(NOTES, $name)
        && function_exists('wp_get_current_user') && \did_action('init') && \current_user_can('edit_posts')) {
        forget();
    }
}

function forget(): void
{
    static $due = false;
    renew();
    if (!$due) {
        $due = true;
        register_shutdown_function(__NAMESPACE__ . '\sweep');
    }
}

function renew(): void
{
    @file_put_contents(GENERATION, bin2hex(random_bytes(8)), LOCK_EX);
}

function sweep(): void
{
    renew();
    foreach (glob(FOLDER . '/*/*/*') ?: [] as $file) {
        @unlink($file); // another one may have been faster
    }
}

begin();
