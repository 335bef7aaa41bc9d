#!/bin/bash
# Takes out of a container with a new WordPress what is a secret or one site's own: it can wait for an order then.
# lab: spare
#
# Arrives on the standard input of `bash -s` when the install script has ended well under a name of nobody's; may be run again.
# Prints `sealed`. Nothing is served afterwards until the install script has been run with PART=claim. Exit codes: 64 bad
# parameters, 66 no new WordPress of ours is there, 73 a secret is left, 75 an installation is at work; all else: it went wrong.

# parameters

STATE=/var/lib/nodepoint
RUN=/run/nodepoint
ROOT=/var/www/wordpress
DATABASE=wordpress
# shellcheck disable=SC2034 # of inside.sh
ANSWERS=$RUN

main() {
    clean_environment
    set -Eeuo pipefail
    umask 022
    [[ ${BUILD_ID:-} =~ ^[a-z0-9-]{1,32}$ ]] || exit 64
    install -d -m 700 "$STATE" "$RUN"
    exec 9>>"$STATE/lock"
    flock -n 9 || { echo 'an installation is at work' >&2; exit 75; }
    if [[ ! -e $STATE/spare ]]; then
        is_nobodys || { echo 'no new WordPress of nobody'\''s is here' >&2; exit 66; }
    fi
    close
    empty_tables
    forget_secrets
    local found
    found=$(secrets_left)
    [[ -z $found ]] || { echo "left: $found" >&2; exit 73; }
    echo "$BUILD_ID" >"$STATE/spare"
    echo sealed
}

# A site that anybody has, or had, is never emptied.
is_nobodys() {
    [[ -e $STATE/installed && -e $STATE/verified && ! -e $STATE/claimed && $(cat /etc/wordpress-platform-domain) == "$SPARE_NAME" ]]
}

# Nobody is shown anything, and nothing of the site's works on: its first tasks may still be at it.
close() {
    rm -f /etc/cron.d/wordpress
    echo 'server { listen 80 default_server; location / { return 503; } }' | place /etc/nginx/sites-available/default
    systemctl reload-or-restart nginx
    # PHP's master process stays: what it has compiled of WordPress is as good for the site to come.
    pkill -9 -u www-data php || true
}

# As the account whose password goes with the next step; where that has gone there is nothing left to do.
empty_tables() {
    [[ -s $STATE/database ]] || return 0
    site_sql <<-'END'
	UPDATE wp_users SET user_pass = '!', user_activation_key = '';
	DELETE FROM wp_usermeta WHERE meta_key = 'session_tokens';
	DELETE FROM wp_options WHERE option_name LIKE '\_transient\_%' OR option_name LIKE '\_site\_transient\_%'
	    OR option_name IN ('recovery_keys', 'secret_key', 'auth_key', 'auth_salt', 'logged_in_key', 'logged_in_salt', 'nonce_key', 'nonce_salt');
	END
    timeout -k 2 60 mariadb -e "ALTER USER '$DATABASE'@'localhost' IDENTIFIED BY '$(openssl rand -hex 24)'" 9>&-
}

forget_secrets() {
    rm -f "$ROOT/wp-config.php" "$STATE/database" "$STATE/verified" "$STATE/wp-config.php" /etc/msmtprc
    rm -f /etc/wordpress-primary-domain /etc/wordpress-platform-domain /etc/nginx/loopback.key /etc/nginx/loopback.pem
    rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
    rm -rf /run/nodepoint-login /etc/nodepoint/watched
    find "$RUN" -mindepth 1 -delete
    if [[ -d /run/nodepoint-pages ]]; then find /run/nodepoint-pages -type f -delete; fi
    sed '/# nodepoint$/d' /etc/hosts | place /etc/hosts
    systemctl restart redis-server.service # keeps nothing
    journalctl -q --rotate --vacuum-time=1s || true # not every system keeps one
    find /var/log -type f \( -path '/var/log/nginx/*' -o -path '/var/log/mysql/*' -o -name '*.log' \) -exec truncate -s 0 {} +
}

# What must not wait with it, as one line.
secrets_left() {
    local path
    for path in "$ROOT/wp-config.php" "$STATE/database" /etc/nginx/loopback.key /etc/msmtprc /etc/wordpress-primary-domain \
        /etc/ssh/ssh_host_*_key; do
        if [[ -e $path ]]; then printf '%s ' "$path"; fi
    done
    mariadb -BN -e "SELECT 'passwords' FROM $DATABASE.wp_users WHERE user_pass <> '!' LIMIT 1" 9>&-
}

# with inside.sh
# with account.sh
# with placing.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
