# shellcheck shell=bash disable=SC2154
# All that a site holds as one archive, offered at the site's own name until it was fetched whole, or for a day. Part of content.sh.
#
# The site's user reads what is packed; what comes of it is root's, in a folder that nobody else can list. nginx alone hands it
# out, under a name that nobody can guess. It goes by itself: a unit looks whenever nginx has noted a download, and now and then.

EXPORT=/var/www/nodepoint-export
OFFERS=/etc/nginx/site-offers
FETCHED=/var/log/nginx/nodepoint-offer # not .log: it is never rotated
FORMAT=/etc/nginx/conf.d/nodepoint-offer.conf
UNITS=/etc/systemd/system
OFFERED=$STATE/offer # TOKEN BYTES MADE
OFFER_LOOK=$STATE/offer.sh
OFFER_SECONDS=86400
DUMP=nodepoint-export.sql.gz # import.php knows it by this name

# What an export needs and what there is for it, in bytes: `room NEEDED FREE`. -1 where it cannot be counted in time.
room() {
    aside
    echo "room $(needed 8 || echo -1) $(($(free_bytes) - RESERVE + $(kept)))"
}

# What is offered under this token now: `offer BYTES UNTIL`, or `offer none`.
offer() {
    local token bytes made
    if [[ -e $OFFERED ]] && offer_stands; then
        read -r token bytes made <"$OFFERED"
        if [[ $token == "$TOKEN" ]]; then echo "offer $bytes $((made + OFFER_SECONDS))" && return; fi
    fi
    echo 'offer none'
}

# A folder of this act's own, which holds nobody else's work up.
aside() {
    WORK=$(mktemp -d /run/nodepoint.XXXXXXXX)
    ANSWERS=$WORK
    trap 'rm -rf "$WORK"' EXIT
    chgrp www-data "$WORK"
    chmod 710 "$WORK"
}

# The files as they lie on the disk, and what the tables hold: their dump is there twice for a while, compressed.
needed() {
    local files tables
    as_site "$1" du -sx -B1 "$ROOT" </dev/null || [[ $(last_said) =~ ^[0-9]+ ]] || return
    files=$(last_said) files=${files%%[^0-9]*}
    export_php | for_the_site export.php
    site_account | export_php_run "$1" measure "$DATABASE" || return
    tables=$(last_said)
    [[ $files =~ ^[0-9]{1,15}$ && $tables =~ ^measured\ [0-9]{1,15}$ ]] || return
    echo $((files + ${tables#measured }))
}

# What an earlier one occupies, which goes before the next is made.
kept() { if [[ -d $EXPORT ]]; then du -sx -B1 "$EXPORT" | cut -f1; else echo 0; fi; }

export_php_run() { as_site "$1" php -d auto_prepend_file=none -d memory_limit=256M -d display_errors=stderr "$WORK/export.php" "${@:2}"; }

phase_withdraw() {
    exec 8>>"$STATE/offer.lock"
    flock 8
    withdrawn
}

phase_measure() {
    local bytes
    place_look # whatever becomes of this, what it leaves goes
    bytes=$(needed 300)
    if ((bytes > $(free_bytes) - RESERVE)); then too_small $((bytes + RESERVE)); fi
}

# Before the files: what is added meanwhile is then too much in them, and not missing.
phase_dump() {
    local code=0
    export_php | for_the_site export.php
    printf '[client]\nuser = %s\npassword = %s\nsocket = %s\n' "$DATABASE" "$(cat "$STATE/database")" "$SOCKET" | for_the_site export.cnf
    install -d -m 711 "$EXPORT"
    install -d -m 750 -g www-data "$EXPORT/tree" "$EXPORT/tree/wordpress"
    site_account | told export_php_run 60 config "$DATABASE" "$ROOT/wp-config.php"
    cp "$ANSWERS/said" "$EXPORT/tree/wordpress/wp-config.php"
    # Older clients take the first line, which newer servers write, for a mistake.
    # shellcheck disable=SC2016
    made_of 5400 "$EXPORT/tree/$DUMP" bash -o pipefail -c '
        tables=$(mariadb --defaults-file="$1" -BN --raw -e "SELECT table_name FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_type = '\''BASE TABLE'\''" "$2") && [[ $tables ]] || exit 3
        mapfile -t tables <<<"$tables"
        mariadb-dump --defaults-file="$1" --single-transaction --skip-lock-tables --quick --hex-blob --max-allowed-packet=1G \
            --default-character-set=utf8mb4 "$2" "${tables[@]}" | sed "1{/999999/d}" | gzip -4' - "$WORK/export.cnf" "$DATABASE" || code=$?
    chmod 640 "$EXPORT"/tree/*.gz "$EXPORT"/tree/wordpress/*
    chgrp www-data "$EXPORT"/tree/*.gz "$EXPORT"/tree/wordpress/*
    return "$code"
}

# tar says 1 of a file that was changed or removed while it was read: that is a site which is in use. What the site's user cannot
# read is no part of his site.
phase_pack() {
    # shellcheck disable=SC2016
    made_of 10800 "$EXPORT/$JOB" bash -c '
        tar -c --one-file-system --numeric-owner --owner=0 --group=0 --ignore-failed-read --anchored --exclude="./wp-config*" --exclude=./.maintenance \
            --exclude="./wp-content/cache/*" --exclude="./wp-content/upgrade/*" --exclude="./wp-content/upgrade-temp-backup/*" \
            --transform="flags=rh;s,^\.,wordpress," -C "$1" "$2" wordpress/wp-config.php -C "$3" . | gzip -4
        codes=("${PIPESTATUS[@]}")
        [[ ${codes[0]} -le 1 && ${codes[1]} -eq 0 ]]' - "$EXPORT/tree" "$DUMP" "$ROOT"
    rm -rf "$EXPORT/tree"
}

# What a program of the site's prints becomes a file of root's, no larger than there is room for: made_of SECONDS FILE PROGRAM...
made_of() {
    local code=0 most
    most=$(($(free_bytes) - RESERVE))
    (ulimit -f $((most > 1024 ? most / 1024 : 1)) && within "$1" nice "${@:3}") </dev/null >"$2" 2>"$ANSWERS/complained" || code=$?
    if [[ $code == 0 ]]; then return; fi
    complaint >&2
    if (($(stat -c %s "$2") + (1 << 20) > most)); then too_small $((most + RESERVE)); fi
    return 70
}

phase_offer() {
    local bytes
    exec 8>>"$STATE/offer.lock"
    flock 8
    chgrp www-data "$EXPORT/$JOB"
    chmod 640 "$EXPORT/$JOB"
    mv "$EXPORT/$JOB" "$EXPORT/$TOKEN.tar.gz"
    bytes=$(stat -c %s "$EXPORT/$TOKEN.tar.gz")
    : >"$FETCHED"
    # shellcheck disable=SC2016
    echo 'log_format offer "$status $body_bytes_sent $sent_http_content_range";' >"$FORMAT"
    install -d -m 700 "$OFFERS"
    nginx_offer >"$OFFERS/export.conf"
    open_way
    nginx -t -q
    systemctl reload-or-restart nginx
    echo "$TOKEN $bytes $(date +%s)" >"$OFFERED"
    echo "packed $bytes" >>"$STATUS"
}

# No proxy keeps it on its way: what is noted as sent was fetched by somebody.
nginx_offer() {
    cat <<-END
	location = /nodepoint-export/$TOKEN.tar.gz {
	    alias $EXPORT/$TOKEN.tar.gz;
	    limit_except GET { deny all; }
	    types { }
	    default_type application/gzip;
	    add_header Content-Disposition 'attachment; filename="$TO.tar.gz"';
	    add_header Cache-Control 'private, no-store';
	    add_header X-Robots-Tag 'noindex, nofollow, noarchive';
	    add_header X-Content-Type-Options nosniff;
	    add_header X-Accel-Buffering no;
	    access_log $FETCHED offer;
	}
	END
}

# A site that an earlier release has made has no place for it yet.
open_way() {
    local site=/etc/nginx/sites-available/default
    if ! grep -qxF '    include site-offers/*.conf;' "$site"; then
        sed -i 's,^    include site-denied\.conf;$,&\n    include site-offers/*.conf;,' "$site"
        grep -qxF '    include site-offers/*.conf;' "$site" || { echo 'nginx is not set up by us' >&2 && return 65; }
    fi
}

place_look() {
    (umask 077 && {
        declare -p STATE EXPORT OFFERS FETCHED FORMAT UNITS OFFERED OFFER_LOOK OFFER_SECONDS
        declare -f clean_environment look_for_offer offer_stands fetched_whole withdrawn
        echo look_for_offer
    } >"$OFFER_LOOK")
    printf '[Unit]\nDescription=An archive of the site that is offered\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/bin/bash %s\n' \
        "$OFFER_LOOK" >"$UNITS/nodepoint-offer.service"
    printf '[Unit]\nDescription=Whether it was fetched\n[Path]\nPathModified=%s\n[Install]\nWantedBy=paths.target\n' "$FETCHED" >"$UNITS/nodepoint-offer.path"
    printf '[Unit]\nDescription=Whether its time is over\n[Timer]\nOnCalendar=*:3/10\n[Install]\nWantedBy=timers.target\n' >"$UNITS/nodepoint-offer.timer"
    systemctl daemon-reload
    systemctl -q enable --now nodepoint-offer.timer nodepoint-offer.path
}

look_for_offer() {
    set -Eeuo pipefail
    umask 022
    clean_environment
    exec 8>>"$STATE/offer.lock"
    flock 8
    if [[ -e $OFFERED ]]; then
        if offer_stands; then return; fi
    else
        exec 9>>"$STATE/content.lock" # one is in the making, or what made it was killed
        flock -n 9 || return 0
    fi
    withdrawn
}

# For a day by a clock that may be put back, and until every byte was sent at least once.
offer_stands() {
    local token bytes made now
    read -r token bytes made <"$OFFERED"
    now=$(date +%s)
    ((now > made - 300 && now < made + OFFER_SECONDS)) && [[ -e $EXPORT/$token.tar.gz ]] && ! fetched_whole "$bytes"
}

# In one go or in parts, each of which may have broken off: STATUS SENT [bytes FIRST-LAST/ALL] in each line.
fetched_whole() {
    if [[ ! -e $FETCHED ]]; then return 1; fi
    perl -e '
        my @parts;
        while (<STDIN>) {
            next unless m{^(200|206) (\d+) (?:bytes (\d+)-\d+/\d+|-)$} && ($1 == 200 || defined $3);
            push @parts, [$3 // 0, ($3 // 0) + $2];
        }
        my $have = 0;
        for my $part (sort { $a->[0] <=> $b->[0] } @parts) {
            last if $part->[0] > $have;
            $have = $part->[1] if $part->[1] > $have;
        }
        exit($have >= $ARGV[0] ? 0 : 1);
    ' "$1" <"$FETCHED"
}

withdrawn() {
    local served=
    if [[ -e $OFFERS || -e $FORMAT ]]; then served=yes; fi
    rm -rf "$EXPORT" "$OFFERS" "$FORMAT" "$FETCHED" "$OFFERED"
    if [[ $served && $(systemctl is-active nginx) == active ]]; then systemctl reload nginx; fi
    if [[ ! -e $UNITS/nodepoint-offer.service ]]; then return; fi
    systemctl -q disable --now nodepoint-offer.timer nodepoint-offer.path
    rm -f "$UNITS"/nodepoint-offer.{service,timer,path} "$OFFER_LOOK"
    systemctl daemon-reload
}
