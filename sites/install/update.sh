#!/bin/bash
# Brings a site's WordPress to the newest release of its own branch, or puts in the system's security updates.
# lab: update status=/var/lib/nodepoint/update.status
#
# Arrives on the standard input of `bash -s update`. Prints `started` and leaves; the work goes on detached from the connection and
# writes `run ID`, then `updated OLD NEW`, `none VERSION` (there is no such release), `upgraded PACKAGES` or `failed update CODE
# SENTENCE`, at the end `done CODE` into the status file. PART: wordpress or system. A run of an ID that is at work or has ended well
# is not begun again. Exit codes: 64 bad parameters, 69 no site of ours is in here, 75 another run is still at work.

# parameters

STATE=/var/lib/nodepoint
STATUS=$STATE/update.status
ROOT=/var/www/wordpress
PRIMARY=/etc/wordpress-primary-domain
WORK=/run/nodepoint-update
ANSWERS=$WORK

prepare() {
    clean_environment
    set -Eeuo pipefail
    umask 022
}

main() {
    prepare
    [[ ${RUN:-} =~ ^[A-Za-z0-9]{1,64}$ && ${PART:-} =~ ^(wordpress|system)$ ]] || exit 64
    [[ -s $STATE/database && -e $PRIMARY ]] || { echo 'no site of ours is in here' >&2; exit 69; }
    exec 9>>"$STATE/update.lock"
    if [[ -e $STATUS && $(head -n 1 "$STATUS") == "run $RUN" ]] && { ! flock -n 9 || [[ $(tail -n 1 "$STATUS") == 'done 0' ]]; }; then
        echo started
        exit 0
    fi
    flock -n 9 || { echo busy; exit 75; }
    come_by
    rm -rf "$WORK"
    install -d -m 700 "$WORK"
    echo "run $RUN" >"$STATUS"
    (umask 077 && written >"$WORK/update.sh")
    # The lock's descriptor goes along: it is held until the last process of the work has ended, however it ends.
    setsid bash "$WORK/update.sh" run </dev/null >"$WORK/log" 2>&1 &
    echo started
}

written() {
    declare -p RUN PART STATE STATUS ROOT PRIMARY WORK ANSWERS
    declare -f
    echo '"$@"'
}

run() {
    prepare
    local code=0 words
    ANSWER=
    : >"$WORK/complained"
    "update_$PART" || code=$?
    words=$(tail -n 3 "$WORK/complained" | tail -c 600 | tr -c '[:print:]' ' ' | cut -c1-300)
    # WordPress's own mark of an upgrade at work; one that was cut off leaves it behind.
    if [[ $PART == wordpress ]]; then as_site 5 rm -f "$ROOT/.maintenance" || true; fi
    if [[ $code == 0 ]]; then
        echo "$ANSWER" >>"$STATUS"
    else
        echo "failed update $code $words" >>"$STATUS"
    fi
    echo "done $code" >>"$STATUS"
}

# Each of them leaves in ANSWER what it has done.
update_wordpress() {
    local code=0
    update_php | upgrader "$(head -n 1 "$PRIMARY")" || code=$?
    ANSWER=$(last_said)
    if [[ $code == 0 && $ANSWER =~ ^(updated|none)(\ [0-9][0-9A-Za-z.-]{0,30}){1,2}$ ]]; then
        if [[ $ANSWER == updated* ]]; then database || code=$?; fi
    elif [[ $code == 0 ]]; then
        code=70
    fi
    return "$code"
}

# By the system's own program, which knows what is a security update, and ends between two packages when it is told to.
update_system() {
    versions >"$WORK/before"
    apt-get -qq -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=120 update >"$WORK/complained" 2>&1 || return 71
    timeout -k 120 600 unattended-upgrade >"$WORK/complained" 2>&1 || return 72
    touch /var/lib/apt/periodic/unattended-upgrades-stamp # as apt.systemd.daily does
    versions >"$WORK/after"
    ANSWER="upgraded $(comm -13 "$WORK/before" "$WORK/after" | wc -l)"
}

versions() { dpkg-query -W | sort; }

# As `as_site`, without its limit for files: it writes those of a whole WordPress. What it prints ends after 64 KB, and what it
# leaves behind keeps nobody waiting.
upgrader() {
    local code=0
    within 300 php -d display_errors=stderr -- "$ROOT" "$1" > >(head -c 65536 >"$WORK/said") 2> >(head -c 65536 >"$WORK/complained") || code=$?
    sleep 0.5
    return "$code"
}

# By the new code, which the process that has put it there does not run.
database() { upgrade_php | as_site 120 php -d display_errors=stderr -- "$ROOT"; }

# with inside.sh
# with update.php
# with upgrade.php

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
