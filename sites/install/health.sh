#!/bin/bash
# Looks how a site is from inside, and changes nothing but the mark that somebody comes by (inside.sh).
# lab: health
#
# Arrives on the standard input of `bash -s`. Prints one fact a line, `end` at last; sites/inside.py says which
# there are. What the site's own code says stands between the others, and is data. Exit code 70: there is no site in here.

ROOT=/var/www/wordpress

main() {
    clean_environment
    set -Eeuo pipefail
    umask 022
    [[ -e /etc/wordpress-primary-domain ]] || { echo 'there is no site in here' >&2; exit 70; }
    ANSWERS=$(mktemp -d /run/nodepoint.XXXXXXXX)
    trap 'rm -rf "$ANSWERS"' EXIT
    system
    services
    updates
    mail
    wordpress
    safe_mode
    come_by
    echo end
}

# What cannot be told is left out.
system() {
    echo "system $(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release)"
    echo "release $(head -n 1 /etc/debian_version)"
    dpkg-query -W -f 'package ${Package} ${Version}\n' nginx mariadb-server 'php*-fpm' 2>/dev/null | grep -v ' $' || true
    df -P / | awk 'NR == 2 { print "disk", $5 + 0 }'
    df -Pi / | awk 'NR == 2 && $5 + 0 { print "inodes", $5 + 0 }'
    if [[ -e /run/reboot-required || -e /var/run/reboot-required ]]; then echo 'restart needed'; fi
}

services() {
    local unit
    for unit in nginx mariadb cron $(systemctl list-unit-files --no-legend 'php*-fpm.service' | awk '{ print $1 }'); do
        systemctl -q is-active "$unit" || echo "down ${unit%.service}"
    done
    systemctl --failed --plain --no-legend | awk '$1 ~ /\.service$/ { sub(/\.service$/, "", $1); print "failed", $1 }' | head -n 20
}

# By the lists that the system's own timers fetch; nothing is fetched here.
updates() {
    timeout -k 1 6 apt-get -s -o Debug::NoLocking=1 upgrade 2>/dev/null >"$ANSWERS/waiting" || true
    awk '/^Inst/ { all++; if (/[Ss]ecurity/) security++ } END { print "pending", all + 0, security + 0 }' "$ANSWERS/waiting"
    # What tells these from those that waited another day.
    if grep -q '^Inst.*[Ss]ecurity' "$ANSWERS/waiting"; then
        echo "security $(grep '^Inst.*[Ss]ecurity' "$ANSWERS/waiting" | sort | sha256sum | cut -c1-16)"
    fi
    hours lists /var/lib/apt/periodic/update-success-stamp
    hours unattended /var/lib/apt/periodic/unattended-upgrades-stamp
}

# hours NAME FILE: since it was touched.
hours() {
    local at
    if at=$(stat -c %Y "$2" 2>/dev/null); then echo "$1 $((($(date +%s) - at) / 3600))"; fi
}

# What msmtp said in the last day: mails that the relay took, and those that it did not.
mail() {
    if [[ ! -e /etc/msmtprc ]]; then return; fi
    timeout -k 1 4 journalctl -q -t msmtp --since=-24h -o cat 2>/dev/null |
        awk '/exitcode=EX_OK/ { taken++; next } /exitcode=/ { refused++ } END { print "mail", taken + 0, refused + 0 }' || true
}

# The second flag is for a disk that is full, and gone with a restart (access.sh).
safe_mode() {
    if [[ -e /etc/nodepoint/safemode || -e /run/nodepoint-safemode ]]; then echo 'safemode on'; else echo 'safemode off'; fi
}

# Of all that WordPress, its plugins and its theme may print, only lines of this form are passed on.
wordpress() {
    health_php | as_site 9 php -d display_errors=0 -- "$ROOT" "$(head -n 1 /etc/wordpress-primary-domain)" || true
    tail -c 16384 "$ANSWERS/said" | tr -d '\0' | sed '1,/^nodepoint-health$/d' |
        grep -aE '^(wordpress|minor|newer|plugins|themes|overdue|refused|test|answered)( [0-9a-z._-]{1,60}){1,2}$' | head -n 100 || true
}

# with inside.sh
# with health.php

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
