#!/bin/bash
# Lets the commits of MariaDB wait while a snapshot is taken, so that no table is half written in it.
# lab: database seconds=20
#
# Arrives on the standard input of `bash -s`. `hold` prints `held` once they wait; `release` ends it, and so do 20 seconds.
# Exit codes: 64 no such act, 70 MariaDB did not hold, 75 an earlier hold does not end.

STATE=/run/nodepoint
LONGEST=20

main() {
    clean_environment
    set -Eeuo pipefail
    umask 077
    case ${1:-} in
    hold) hold ;;
    release) release ;;
    *) exit 64 ;;
    esac
}

# The session holds the lock for as long as it lives, however it ends.
release() {
    install -d -m 700 "$STATE"
    : >"$STATE/release"
    exec 9>"$STATE/database.lock"
    flock -w 4 9 || exit 75
}

hold() {
    release
    rm -f "$STATE/release"
    : >"$STATE/answer"
    setsid bash -c "$(declare -p STATE LONGEST; declare -f session acts); session" </dev/null >"$STATE/answer" 2>&1 &
    local try
    for ((try = 0; try < 50; try++)); do
        if grep -qx held "$STATE/answer"; then
            echo held
            return
        fi
        if grep -q ERROR "$STATE/answer"; then break; fi
        sleep 0.1
    done
    : >"$STATE/release"
    tail -n 1 "$STATE/answer" >&2
    exit 70
}

session() {
    acts | timeout -k 2 $((LONGEST + 5)) mariadb --batch --skip-column-names --unbuffered
}

acts() {
    echo "SET SESSION lock_wait_timeout = 4;"
    echo "BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL; BACKUP STAGE BLOCK_COMMIT;"
    echo "SELECT 'held';"
    local tenth # not by the clock, which may be put back meanwhile
    for ((tenth = 0; tenth < LONGEST * 10; tenth++)); do
        if [[ -e $STATE/release ]]; then break; fi
        sleep 0.1
    done
    echo "BACKUP STAGE END;"
}

# with inside.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
