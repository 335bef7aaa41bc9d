#!/bin/bash
# Makes a WordPress of an empty Debian or Ubuntu container, and does no harm when run again.
# lab: install status=/run/nodepoint/install.status
#
# Arrives on the standard input of `bash -s`. Prints `started` and leaves; the work goes on detached from the connection and
# writes a line `phase NAME SECONDS` for each phase into the status file, `failed NAME CODE SENTENCE` for one that did not
# work, at the end `done CODE`. Where STAY says so, it stays for up to so many seconds and prints that file, too. Exit codes: 64
# bad parameters, 66 a container that others have made, 69 one that is to be claimed and is no spare, 75 an earlier run is still
# at work, 70 to 80 the phase that failed (see code_of). docs/wordpress.md says what is made and why.

# parameters

STATE=/var/lib/nodepoint
RUN=/run/nodepoint # a tmpfs: it has room where the disk is full
STATUS=$RUN/install.status
ROOT=/var/www/wordpress
PRIMARY=/etc/wordpress-primary-domain
DATABASE=wordpress
ANSWERS=$RUN

BASE=(packages wordpress system)
SITE=(database configuration installation web verification)
CLAIM=(tuning database configuration renewal installation web verification)

code_of() {
    case $1 in
    packages) echo 70 ;;
    wordpress) echo 71 ;;
    system) echo 72 ;;
    database) echo 73 ;;
    configuration) echo 74 ;;
    installation) echo 76 ;;
    web) echo 77 ;;
    verification) echo 78 ;;
    tuning) echo 79 ;;
    renewal) echo 80 ;;
    esac
}

prepare() {
    clean_environment
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
    set -Eeuo pipefail
    shopt -s lastpipe # the end of a pipe may set variables
    umask 022
}

main() {
    prepare
    : "${PART:=all}" "${PRIMARY_DOMAIN:=${SITE_HOSTNAME:-}}" "${PROXY_IPS:=}" "${SMTP_URL:=}" "${CRON_MINUTE:=0}" "${FIREWALL_IN:=}" "${FIREWALL_OUT:=}"
    : "${XMLRPC:=no}" "${UPLOAD_MB:=128}" "${MEMORY_LIMIT_MB:=0}" "${PAGE_CACHE:=yes}" "${STAY:=0}"
    valid || exit 64
    [[ $PART != claim ]] || is_spare || { echo 'no ready container is here' >&2; exit 69; }
    ours || { echo 'a web server or database is in here that is not of our making' >&2; exit 66; }
    install -d -m 700 "$STATE" "$RUN"
    exec 9>>"$STATE/lock"
    flock -n 9 || { echo busy; exit 75; }
    : >"$STATUS"
    # In a file that root alone can read: what bash is given as an argument, everybody sees in the process list.
    (umask 077 && written >"$RUN/install.sh")
    # The lock's descriptor goes along: it is held until the last process of the work has ended, however it ends.
    setsid bash "$RUN/install.sh" run </dev/null >"$RUN/install.log" 2>&1 &
    echo started
    await_end "$!"
}

# What takes a few seconds is waited for: whoever has asked need not come by to look.
await_end() {
    local try
    for ((try = 0; try < 20 * STAY; try++)); do
        if ! kill -0 "$1" 2>/dev/null; then
            cat "$STATUS"
            return
        fi
        sleep 0.05
    done
}

# Names and addresses go into files of several languages, so they must be plain; what is a secret or a sentence may be anything.
valid() {
    local name='^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' addresses='^[0-9a-f.: ]*$' statements='^[0-9a-z.:/,{}; ]*$'
    [[ $PART =~ ^(all|base|claim)$ ]] && [[ ${SITE_HOSTNAME:-} =~ $name && $PRIMARY_DOMAIN =~ $name ]] &&
        [[ ${MEMORY:-} =~ ^[1-9][0-9]{2,6}$ && $CRON_MINUTE =~ ^[0-4]$ && $STAY =~ ^1?[0-9]$ && $PROXY_IPS =~ $addresses ]] &&
        [[ $UPLOAD_MB =~ ^[1-9][0-9]{0,6}$ && $MEMORY_LIMIT_MB =~ ^(0|[1-9][0-9]{1,5})$ ]] &&
        [[ $XMLRPC =~ ^(yes|no)$ && $PAGE_CACHE =~ ^(yes|no)$ ]] &&
        [[ $FIREWALL_IN =~ $statements && $FIREWALL_OUT =~ $statements ]] &&
        [[ -n ${ADMIN_EMAIL:-} && ${WORDPRESS_URL:-} =~ ^https?:// && "$SMTP_URL$ADMIN_EMAIL" != *[[:cntrl:]]* ]]
}

# Whoever has adopted a container keeps what is in it.
ours() {
    [[ -e $STATE/lock || -e /etc/nodepoint-template ]] || ! command -v nginx apache2 caddy lighttpd mariadbd mysqld >/dev/null
}

written() {
    declare -p SITE_HOSTNAME PRIMARY_DOMAIN ADMIN_EMAIL MEMORY PROXY_IPS WORDPRESS_URL SMTP_URL CRON_MINUTE PART
    declare -p XMLRPC UPLOAD_MB MEMORY_LIMIT_MB PAGE_CACHE
    declare -p FIREWALL_IN FIREWALL_OUT STATE RUN STATUS ROOT PRIMARY DATABASE ANSWERS SHARE DENIED MOST_DENIED CLOCK BASE SITE CLAIM SPARE_NAME
    declare -f
    echo '"$@"'
}

run() {
    prepare
    local name phases=("${BASE[@]}")
    case $PART in
    all) phases+=("${SITE[@]}") ;;
    claim) phases=("${CLAIM[@]}") ;;
    esac
    for name in "${phases[@]}"; do
        SECONDS=0
        # In a shell of its own, since `set -e` does not hold inside a condition.
        if ! bash "$RUN/install.sh" phase "$name"; then
            echo "failed $name $(code_of "$name") $(tail -n 3 "$RUN/install.log" | tail -c 600 | tr -c '[:print:]' ' ' | cut -c1-300)" >>"$STATUS"
            finish "$(code_of "$name")"
            return
        fi
        echo "phase $name $SECONDS" >>"$STATUS"
    done
    finish 0
}

finish() {
    rm -f "$RUN/install.sh"
    echo "done $1" >>"$STATUS"
}

phase() {
    prepare
    trap 'echo "line $LINENO: $BASH_COMMAND" >&2' ERR
    "phase_$1"
}

# with inside.sh
# with platform.sh
# with cached.sh
# with base.sh
# with objects.sh
# with account.sh
# with site.sh
# with claim.sh
# with configuration.sh
# with nginx.sh
# with pages.sh
# with denied.sh
# with verification.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
