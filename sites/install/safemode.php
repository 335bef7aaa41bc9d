<?php
/*
 * WordPress without what may be broken in it: plugins, theme, must-use plugins, drop-ins, maintenance. Files and tables stay as
 * they are, and so does what the customer sees of them: he can turn off or remove the culprit here, and all else is back afterwards.
 */

namespace NodePoint;

// A view of wp-content that has its folders and neither drop-ins nor must-use plugins. It holds against wp-config.php, too.
define('WP_CONTENT_DIR', __DIR__ . '/safe');

if (PHP_SAPI !== 'cli') {
    header('Cache-Control: no-cache');
    header('X-Accel-Expires: 0'); // no cache keeps these pages
}
hook('pre_option_active_plugins', 'none_while_loading');
hook('pre_site_option_active_sitewide_plugins', 'none_while_loading');
hook('pre_option_hack_file', 'none_while_loading');
hook('setup_theme', 'use_spare_theme');
hook('pre_get_ready_cron_jobs', 'none'); // nobody would be there to do them
hook('pre_update_option_rewrite_rules', 'as_before', 10, 2); // plugins' pages are missing in new ones
hook('admin_notices', 'say_so');
hook('network_admin_notices', 'say_so');

/** Afterwards the true list is shown and can be changed. */
function none_while_loading($value)
{
    return \did_action('plugins_loaded') ? $value : [];
}

function none(): array
{
    return [];
}

function as_before($new, $old)
{
    return $old;
}

/** The newest default theme that is there and not the one in use, else one of ours, which is in no list of themes. */
function use_spare_theme(): void
{
    $theme = \WP_Theme::get_core_default_theme();
    $in_use = [\get_option('stylesheet'), \get_option('template')];
    $is_spare = $theme && !in_array($theme->get_stylesheet(), $in_use, true);
    foreach (['stylesheet', 'template'] as $which) {
        \add_filter($which, fn() => $is_spare ? $theme->get_stylesheet() : 'nodepoint-plain');
        if (!$is_spare) {
            \add_filter("{$which}_directory", fn() => __DIR__ . '/themes/nodepoint-plain');
        }
    }
}

function say_so(): void
{
    echo '<div class="notice notice-warning"><p><strong>Safe mode:</strong> plugins, must-use plugins, drop-ins and the theme are'
        . ' not loaded, and scheduled tasks wait. Deactivate or delete what is broken, then turn safe mode off in the customer'
        . ' portal.</p></div>';
}
