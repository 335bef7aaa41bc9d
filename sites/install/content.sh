#!/bin/bash
# Works on what a site holds: `replace` puts one host name in the place of another in the addresses of its tables, `count` tells
# how many there are; `import` puts another site's content in the place of it all, `back` undoes one that has not ended, and `look`
# says at once whether one could be fetched; `export` offers all of it as an archive, `withdraw` takes that back, `room` says at once
# whether it would fit, and `offer` whether it is still offered.
# lab: content status=/var/lib/nodepoint/content.status
#
# Arrives on the standard input of `bash -s ACT`. Prints `started` and leaves; the work goes on detached from the connection and
# writes `run ID`, a line `phase NAME SECONDS` for each phase, what was found (`found TABLES CHANGES LEFT`) or packed (`packed BYTES`), `failed NAME CODE
# SENTENCE` for a phase that did not work, and at the end `done CODE`. A run of an ID that is at work (`at work`) or has ended well is
# not begun again. Exit codes: 64 bad parameters, 69 no site of ours is in here, 71 (of `look`) nothing is to be had at the address, 75
# another run is still at work. In `done`: 65 no use trying again, 66 the disk is too small, 70 it went wrong.

# parameters

STATE=/var/lib/nodepoint
STATUS=$STATE/content.status
ROOT=/var/www/wordpress
DATABASE=wordpress
SOCKET=/run/mysqld/mysqld.sock
WORK=/run/nodepoint-content
ANSWERS=$WORK
LONGEST=3000 # seconds for all tables

prepare() {
    clean_environment
    set -Eeuo pipefail
    umask 022
}

main() {
    prepare
    ACT=${1:-}
    valid || exit 64
    [[ -s $STATE/database ]] || { echo 'no site of ours is in here' >&2; exit 69; }
    case $ACT in look | room | offer) "$ACT" && exit 0 ;; esac
    exec 9>>"$STATE/content.lock"
    if ! flock -n 9; then
        if [[ $(line_of first) == "run $JOB" ]]; then echo at work && exit 0; fi
        if [[ ! $ACT =~ ^(back|withdraw)$ ]] || ! stopped; then echo busy && exit 75; fi
    fi
    if [[ $(line_of first) == "run $JOB" && $(line_of last) == 'done 0' ]]; then echo started && exit 0; fi
    rm -rf "$WORK"
    install -d -m 710 -g www-data "$WORK" # what is in there is root's to write, and the site's to read where root lets it
    echo "run $JOB" >"$STATUS"
    (umask 077 && written >"$STATE/content.sh")
    # The lock's descriptor goes along: it is held until the last process of the work has ended, however it ends.
    setsid bash "$STATE/content.sh" run </dev/null >"$STATE/content.log" 2>&1 &
    echo $! >"$STATE/content.pid"
    echo started
}

# The work that is to be undone goes on no longer, with all that it has started.
stopped() {
    local leader
    leader=$(cat "$STATE/content.pid")
    if [[ $leader =~ ^[0-9]+$ && $(tr '\0' ' ' <"/proc/$leader/cmdline") == *"$STATE/content.sh run"* ]]; then pkill -KILL -s "$leader" || true; fi
    flock -w 10 9
}

line_of() {
    if [[ ! -e $STATUS ]]; then return; fi
    if [[ $1 == first ]]; then head -n 1 "$STATUS"; else tail -n 1 "$STATUS"; fi
}

valid() {
    local name='^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'
    [[ ${JOB:-} =~ ^[A-Za-z0-9]{1,64}$ && ${TO:-} =~ $name ]] || return
    case $ACT in
    replace | count) [[ ${FROM:-} =~ $name ]] ;;
    room | withdraw) ;;
    export | offer) [[ ${TOKEN:-} =~ ^[0-9a-f]{64}$ ]] ;;
    look | import | back) [[ ${URL:-} =~ ^https://[!-~]{1,2000}$ && $URL != *[\"\\]* && ${SIZE:-} =~ ^(-1|[0-9]{1,15})$ ]] ;;
    *) return 1 ;;
    esac
}

written() {
    : "${FROM:=}" "${URL:=}" "${SIZE:=-1}" "${TOKEN:=}"
    declare -p ACT JOB FROM TO URL SIZE TOKEN STATE STATUS ROOT DATABASE SOCKET WORK ANSWERS LONGEST
    declare -p IMPORT NEW FORMER SPARE ASIDE SWITCHED RESERVE TRIES
    declare -p EXPORT OFFERS FETCHED FORMAT UNITS OFFERED OFFER_LOOK OFFER_SECONDS DUMP
    declare -f
    echo '"$@"'
}

run() {
    prepare
    local name code=0 phases
    case $ACT in
    count) phases=(addresses) ;;
    replace) phases=(addresses caches) ;;
    import) phases=(fetch unpack database switch names caches served tidy) && if [[ -e $SWITCHED ]]; then phases=(back "${phases[@]}"); fi ;;
    back) phases=(back) ;;
    export) phases=(withdraw measure dump pack offer) ;;
    withdraw) phases=(withdraw) ;;
    esac
    for name in "${phases[@]}"; do
        SECONDS=0
        # In a shell of its own, since `set -e` does not hold inside a condition.
        bash "$STATE/content.sh" phase "$name" || code=$?
        if [[ $code != 0 ]]; then
            case $code in 65 | 66) ;; *) code=70 ;; esac
            echo "failed $name $code $(tail -n 3 "$STATE/content.log" | tail -c 600 | tr -c '[:print:]' ' ' | cut -c1-300)" >>"$STATUS"
            break
        fi
        echo "phase $name $SECONDS" >>"$STATUS"
    done
    if [[ $code != 0 && -e $SWITCHED ]]; then bash "$STATE/content.sh" phase back || true; fi
    if [[ $code != 0 && $ACT == export ]]; then bash "$STATE/content.sh" phase withdraw || true; fi
    rm -rf "$STATE/content.sh" "$WORK"
    echo "done $code" >>"$STATUS"
}

phase() {
    prepare
    "phase_$1"
}

# By PHP, as the site's user and with the site's account, which may do nothing outside of its own database.
phase_addresses() {
    addresses
    last_said >>"$STATUS"
}

addresses() {
    local code=0 program=(php -d auto_prepend_file=none -d memory_limit=512M -d display_errors=stderr "$WORK/replace.php")
    addresses_php | for_the_site addresses.php
    replace_php | for_the_site replace.php
    account | as_site "$LONGEST" "${program[@]}" || code=$?
    if [[ $code != 0 ]]; then
        complaint >&2
        return "$code"
    fi
    [[ $(last_said) =~ ^found\ [0-9]{1,9}\ [0-9]{1,12}\ [0-9]{1,12}$ ]] || { echo 'no result' >&2 && return 70; }
}

for_the_site() {
    cat >"$WORK/$1"
    chgrp www-data "$WORK/$1"
    chmod 640 "$WORK/$1"
}

account() {
    local dry=false
    if [[ $ACT == count ]]; then dry=true; fi
    printf '{"user":"%s","password":"%s","socket":"%s","database":"%s","config":"%s","from":"%s","to":"%s","dry":%s}' \
        "$DATABASE" "$(cat "$STATE/database")" "$SOCKET" "$DATABASE" "$ROOT/wp-config.php" "$FROM" "$TO" "$dry"
}

# What was kept of the site before tells the old name. A broken site keeps nobody from this: its own caches end by themselves.
phase_caches() {
    # shellcheck disable=SC2016
    within 30 sh -c '
        if [ -d /run/nodepoint-pages ]; then find /run/nodepoint-pages -mindepth 1 -type f -delete; fi
        if [ -d /run/nodepoint-cache ]; then : >/run/nodepoint-cache/objects.stale; fi' </dev/null || echo 'pages stay in the cache' >&2
    as_site 60 php -d display_errors=0 -- "$ROOT" <<'END' || echo 'WordPress has not emptied its caches' >&2
<?php
$_SERVER += ['SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'HTTP_X_FORWARDED_PROTO' => 'https'];
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
wp_cache_flush();
do_action('nodepoint_forget_pages');
END
}

# with addresses.php
# with replace.php
# with import.php
# with import.sh
# with export.php
# with export.sh
# with inside.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
