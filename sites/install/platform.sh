# shellcheck shell=bash disable=SC2154
# What the platform decides for every site, outside of all that is the customer's: PHP begins with it. Part of wordpress.sh and access.sh.

SHARE=/usr/share/nodepoint

php_version() { basename "$(find /etc/php -mindepth 1 -maxdepth 1 -type d | sort -V | tail -n 1)"; }

place_platform() {
    local version changed=${CHANGED:-}
    version=$(php_version)
    install -d -m 755 "$SHARE" "$SHARE/safe" "$SHARE/themes" "$SHARE/themes/nodepoint-plain" /etc/nodepoint
    place_view
    platform_files
    CHANGED=
    echo "auto_prepend_file = $SHARE/prepend.php" | place "/etc/php/$version/cli/conf.d/92-nodepoint-prepend.ini"
    # A second file about the pool: as an admin value no .user.ini of the site's has a say.
    printf '[www]\nphp_admin_value[auto_prepend_file] = %s\n' "$SHARE/prepend.php" | place "/etc/php/$version/fpm/pool.d/zz-nodepoint.conf"
    if [[ -n $CHANGED ]] && systemctl -q is-active "php$version-fpm"; then
        "php-fpm$version" -t
        systemctl restart "php$version-fpm"
    fi
    CHANGED=$changed
}

# The folders of wp-content without what else is loaded from it. Links of root's: nobody works through them but the site's user.
place_view() {
    local name
    for name in plugins themes uploads languages upgrade upgrade-temp-backup fonts; do
        if [[ ! -L $SHARE/safe/$name ]]; then ln -sfT "$ROOT/wp-content/$name" "$SHARE/safe/$name"; fi
    done
}

platform_files() {
    printf '/*\nTheme Name: NodePoint plain\n*/\n' | place "$SHARE/themes/nodepoint-plain/style.css"
    theme_php | place "$SHARE/themes/nodepoint-plain/index.php"
    login_php | place "$SHARE/login.php"
    safemode_php | place "$SHARE/safemode.php"
    object_cache_php | place "$SHARE/object-cache.php"
    objects_php | place "$SHARE/objects.php"
    pages_php | place "$SHARE/pages.php"
    cron_php | place "$SHARE/cron.php"
    prepend_php | place "$SHARE/prepend.php" # last: it takes in the others
}

# with placing.sh
# with theme.php
# with login.php
# with safemode.php
# with object-cache.php
# with objects.php
# with pages.php
# with cron.php
# with prepend.php
