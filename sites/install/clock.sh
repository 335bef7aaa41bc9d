# shellcheck shell=bash disable=SC2154
# What goes by the clock, where that was put back. Part of denied.sh, whose timer calls it every five minutes.

CLOCK=/run/nodepoint/clock # the time of the last look, in seconds

# PHP looks at no changed file before it is as late again as at its last look (opcache.revalidate_freq), nginx and Redis keep things
# until then, however long that is.
notice_clock() {
    local now last=0
    now=$(date +%s)
    if [[ -e $CLOCK ]]; then last=$(<"$CLOCK"); fi
    install -d -m 700 "${CLOCK%/*}"
    echo "$now" >"$CLOCK"
    if ((last > now + 60)); then
        systemctl reload 'php*-fpm.service'
        forget_cached
    fi
}
