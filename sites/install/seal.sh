#!/bin/bash
# Makes a container that holds what all sites have in common fit to be copied: nothing in it is a secret, or one machine's own.
# lab: seal
#
# Arrives on the standard input of `bash -s` as the last thing before the container is stopped and archived; may be run again.
# Prints what it is a template of, and at the end `sealed`. Exit codes: 64 bad parameters, 66 the base is not there, 73 something
# of a site is in it, 75 an installation is at work; all else: it went wrong.

# parameters

STATE=/var/lib/nodepoint
ROOT=/var/www/wordpress
FACTS=/etc/nodepoint-template

main() {
    clean_environment
    set -Eeuo pipefail
    umask 022
    [[ ${BUILD_ID:-} =~ ^[a-z0-9-]{1,32}$ ]] || exit 64
    install -d -m 700 "$STATE"
    exec 9>>"$STATE/lock"
    flock -n 9 || { echo 'an installation is at work' >&2; exit 75; }
    has_base || { echo 'the base is not there' >&2; exit 66; }
    local found
    found=$(of_a_site)
    [[ -z $found ]] || { echo "of a site: $found" >&2; exit 73; }
    stop_services
    forget
    facts | tee "$FACTS"
    : >/etc/machine-id
    echo sealed
}

has_base() {
    local program
    [[ -s $ROOT/wp-includes/version.php && -s /usr/share/nodepoint/prepend.php ]] || return
    for program in nginx mariadbd php; do command -v "$program" >/dev/null || return; done
}

# What must be in no template, as one line; whoever has a copy of it would have every site's.
of_a_site() {
    local path
    for path in "$ROOT/wp-config.php" "$STATE/installed" "$STATE/database" /etc/wordpress-{primary,platform}-domain /etc/msmtprc \
        /etc/nodepoint/safemode /etc/nodepoint/watched /var/lib/mysql/wordpress; do
        if [[ -e $path ]]; then printf '%s ' "$path"; fi
    done
    grep -rlE "^[^/*]*define\( *'(AUTH_KEY|DB_PASSWORD)'" "$ROOT" --include='wp-config*.php' --exclude=wp-config-sample.php || true
    # Databases beside the server's own.
    find /var/lib/mysql -mindepth 1 -maxdepth 1 -type d ! -name mysql ! -name sys ! -name performance_schema ! -name test \
        -printf '%p '
}

# A database that was ended properly needs no repair at the first start of each copy.
stop_services() {
    systemctl stop 'php*-fpm.service' nginx.service mariadb.service redis-server.service cron.service 'apt-daily*.timer'
}

forget() {
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old
    rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /etc/hosts.orig
    rm -f /root/.*history /root/.lesshst /root/.ssh/* /home/*/.*history
    if [[ -f /var/lib/dbus/machine-id && ! -L /var/lib/dbus/machine-id ]]; then rm -f /var/lib/dbus/machine-id; fi
    rm -rf /var/log/journal/* /run/nodepoint-login
    find /var/log -type f -delete
    find "$STATE" -mindepth 1 ! -name lock -delete
    find /tmp /var/tmp -xdev -mindepth 1 -delete 2>/dev/null || true # folders of services that still run are in use
}

facts() {
    local version
    version=$(sed -n "s/^\$wp_version = '\([0-9A-Za-z.-]*\)';.*/\1/p" "$ROOT/wp-includes/version.php")
    # shellcheck source=/dev/null
    . /etc/os-release
    echo "build $BUILD_ID"
    echo "date $(date -u +%Y-%m-%d)"
    echo "wordpress ${version:-unknown}"
    echo "distribution $ID-$VERSION_ID"
}

# with inside.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
