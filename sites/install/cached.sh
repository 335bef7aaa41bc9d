# shellcheck shell=bash disable=SC2154
# Forgetting what is cached of a site. Part of whatever changes a site past WordPress: by SQL, or by other files in its place.

# Pages at once, objects before the next request uses them. Both are the site's own; where there is no cache there is nothing to do.
forget_cached() {
    # shellcheck disable=SC2016
    as_site 20 sh -euc '
        [ -d /run/nodepoint-cache ] || exit 0
        cd /run/nodepoint-cache
        date +%s%N >generation
        : >objects.stale
        if [ -d /run/nodepoint-pages ]; then find /run/nodepoint-pages -type f -delete; fi
    ' || { complaint >&2; return 1; }
}
