# shellcheck shell=bash disable=SC2154
# How root stays apart from what the customer can write. Part of all scripts that run in containers.

# Nothing of the caller's environment decides which programs run or what they load, nor does the folder he stands in.
clean_environment() {
    local name
    for name in $(compgen -e); do export -n "${name?}"; done # one of ours may go by the same name: it keeps its value
    unset CDPATH GLOBIGNORE
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 LANG=C.UTF-8
    cd /
}

# within SECONDS PROGRAM...: as the site's own user, with nothing of root's: no environment, no group, no lock (descriptor 9).
# The clock is root's, since the site's user can stop whatever is his own.
within() {
    timeout -k 2 "$1" setpriv --reuid www-data --regid www-data --clear-groups env -i PATH="$PATH" LC_ALL="$LC_ALL" "${@:2}" 9>&-
}

# as_site SECONDS PROGRAM...: the same for what answers. The answer is data: it goes into files of root's, 256 KB of each at
# most. A pipe would keep root waiting for whatever the program leaves behind.
as_site() {
    (umask 077 && : >"$ANSWERS/said" && : >"$ANSWERS/complained")
    (ulimit -f 256 && within "$@") >>"$ANSWERS/said" 2>>"$ANSWERS/complained"
}

# That the platform comes by: as long as the mark is fresh, prepend.php and unwatched.sh leave updates to it. Where there is no room
# for it they are done by themselves.
come_by() {
    if [[ -d /etc/nodepoint ]]; then touch /etc/nodepoint/watched || true; fi
}

last_said() { tail -c 4096 "$ANSWERS/said" | tr -d '\0' | tail -n 1; }

complaint() { tail -c 300 "$ANSWERS/complained" | tr -c '[:print:]' ' '; }
