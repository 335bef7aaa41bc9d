# shellcheck shell=bash disable=SC2154
# A site's database and the WordPress in it. Part of wordpress.sh.

phase_database() {
    local password
    # Nothing is written where the account works: on a full disk MariaDB would wait for room.
    if site_sql <<<'SELECT 1' 2>/dev/null >&2; then return; fi
    password=$(secret database)
    # Accounts alone: the tables are the site's, whose views, triggers and functions would run with root's rights.
    timeout -k 2 60 mariadb --init-command='SET SESSION lock_wait_timeout = 20' 9>&- <<-END
	CREATE DATABASE IF NOT EXISTS $DATABASE CHARACTER SET utf8mb4;
	CREATE USER IF NOT EXISTS '$DATABASE'@'localhost';
	ALTER USER '$DATABASE'@'localhost' IDENTIFIED BY '$password';
	GRANT ALL ON $DATABASE.* TO '$DATABASE'@'localhost';
	DROP USER IF EXISTS ''@'localhost';
	DROP DATABASE IF EXISTS test;
	END
}

# An open installer is taken over by the first who finds it, so the installation is finished before anything is served.
phase_installation() {
    if [[ ! -e $STATE/installed ]]; then
        install_wordpress || { complaint >&2 && return 1; }
        [[ $(last_said) == installed ]] || { echo 'WordPress was not installed:' && complaint; return 1; } >&2
        : >"$STATE/installed"
    fi
    right_in_tables
    forget_cached
}

# The name, for tools that look at the tables alone: the platform's prepend.php goes before it. Whoever has renamed those knows better.
right_in_tables() {
    local found
    found=$(site_sql <<<"SHOW TABLES LIKE 'wp\_options'")
    if [[ -n $found ]]; then
        site_sql <<<"UPDATE wp_options SET option_value = 'https://$PRIMARY_DOMAIN' WHERE option_name IN ('siteurl', 'home')
            AND option_value <> 'https://$PRIMARY_DOMAIN'"
        # Sites made before lack the rules of categories; the next page makes all of them.
        site_sql <<<"DELETE FROM wp_options WHERE option_name = 'rewrite_rules' AND option_value <> ''
            AND LOCATE('category_name=', option_value) = 0"
    fi
}

# WordPress ends with 0 also where it could not reach its database.
install_wordpress() {
    as_site 240 php -d display_errors=stderr -- "$ROOT" "$PRIMARY_DOMAIN" "${SITE_HOSTNAME%%.*}" "$ADMIN_EMAIL" <<'END'
<?php
define('WP_INSTALLING', true);
function wp_mail() { return true; }
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    // It would ask itself whether pretty links work, and nothing answers yet.
    add_filter('pre_http_request', fn() => new WP_Error('offline'));
    wp_install($argv[2], $argv[3], $argv[4], true, '', wp_generate_password(32));
    $GLOBALS['wp_rewrite']->set_permalink_structure('/%postname%/');
    // The first page makes the rules. Made here they would lack those of categories and tags, which were registered while links
    // were plain (wp-includes/class-wp-taxonomy.php, add_rewrite_rules).
    delete_option('rewrite_rules');
}
if (is_blog_installed()) {
    echo "\ninstalled";
}
END
}
