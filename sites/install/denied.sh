# shellcheck shell=bash disable=SC2154
# What plugins keep from visitors by `.htaccess`, which nginx does not read: found and said in nginx's words. Part of wordpress.sh,
# and by itself every five minutes (nodepoint-denied.timer).

DENIED=/etc/nginx/site-denied.conf
MOST_DENIED=400

denied_folders() {
    local changed=$CHANGED
    denied_pl | place "$SHARE/denied.pl"
    { echo '#!/bin/bash' && declare -p ROOT SHARE DENIED MOST_DENIED CLOCK &&
        declare -f clean_environment within as_site complaint place notice_clock forget_cached said_denied find_denied look_for_denied && echo look_for_denied; } |
        place "$SHARE/denied.sh"
    find_denied
    changed+=$CHANGED CHANGED=
    place /etc/systemd/system/nodepoint-denied.service <<-END
	[Unit]
	Description=Folders that plugins close by .htaccess
	[Service]
	Type=oneshot
	ExecStart=/bin/bash $SHARE/denied.sh
	TimeoutStartSec=180
	Nice=10
	IOSchedulingClass=idle
	END
    place /etc/systemd/system/nodepoint-denied.timer <<-END
	[Unit]
	Description=Folders that plugins close by .htaccess
	[Timer]
	OnCalendar=*:$CRON_MINUTE/5
	RandomizedDelaySec=60
	[Install]
	WantedBy=timers.target
	END
    if [[ -n $CHANGED ]]; then
        systemctl daemon-reload
        switch_on nodepoint-denied.timer
        systemctl restart nodepoint-denied.timer
    fi
    CHANGED=$changed
}

look_for_denied() {
    set -Eeuo pipefail
    shopt -s lastpipe
    umask 022
    clean_environment
    ANSWERS=$(mktemp -d /run/nodepoint.XXXXXXXX)
    trap 'rm -rf "$ANSWERS"' EXIT
    notice_clock
    CHANGED=
    if [[ -e $DENIED ]]; then cp "$DENIED" "$ANSWERS/before"; fi
    find_denied
    if [[ -z $CHANGED ]]; then return; fi
    if nginx -t -q; then
        systemctl reload nginx
    else
        place "$DENIED" <"$ANSWERS/before"
        return 1
    fi
}

# The site's user reads the site's files, by names that may be links a moment later; root reads what he says.
find_denied() {
    # shellcheck disable=SC2016
    as_site 60 sh -c 'find -P "$1" -xdev -name .htaccess -type f -print0 | perl "$2" "$1"' - "$ROOT" "$SHARE/denied.pl" ||
        { complaint >&2; return 1; }
    said_denied <"$ANSWERS/said" | place "$DENIED"
}

# Every byte of a path that is no plain letter stands there as a number, so that none means anything to nginx.
said_denied() {
    perl -e '
        my ($most, $said) = ($ARGV[0], 0);
        undef $/;
        my @said = split /\0/, <STDIN>, -1;
        sub plain { my ($text) = @_; $text =~ s{([^A-Za-z0-9/_-])}{sprintf "\\x%02x", ord $1}ge; return $text }
        my %line;
        while (@said > 3) {
            my ($folder, $kind, $words) = splice @said, 0, 3;
            next if length $folder > 500 || $folder !~ m{^(?:/|$)} || length $words > 700;
            my @words = grep { /^[.A-Za-z0-9_-]{1,64}$/ } split / /, $words;
            my $names = join "|", map { /^\./ ? "[^/]+" . plain($_) : plain($_) } @words;
            my $match = $kind eq "all" ? "" : !@words ? next : $kind eq "except" ? "(?!(?:.*/)?(?:$names)\$)" : "(?:.*/)?(?:$names)\$";
            $line{qq{location ~ "^} . plain($folder) . qq{/$match" { internal; if (\$site_part) { return 404; } }\n}} = 1;
        }
        for my $line (sort keys %line) { print $line if $said++ < $most }
        print STDERR "only $most of $said folders are closed\n" if $said > $most;
    ' "$MOST_DENIED"
}

# with clock.sh
# with denied.pl
