# shellcheck shell=bash disable=SC2154
# Another site's content in the place of what is there. Part of content.sh.
#
# The archive is fetched and taken apart by the site's user, in folders whose names root alone can change; the dump is loaded by
# an account of its own, which knows no other database. Until `switch` nothing of the site is touched, and `back` undoes that.

IMPORT=/var/www/nodepoint-import
NEW=/var/www/nodepoint-new
FORMER=/var/www/nodepoint-former
SPARE=wordpress_import
ASIDE=wordpress_former
SWITCHED=$STATE/content.switched
RESERVE=$((128 << 20)) # bytes of the disk that stay free
TRIES=30               # of a download, each of which goes on where the one before ended

# What is known of the address before anything begins: `look BYTES FREE`, -1 where the server does not tell.
look() {
    local said status range length
    ANSWERS=$(mktemp -d /run/nodepoint.XXXXXXXX)
    trap 'rm -rf "$ANSWERS"' EXIT
    request -r 0-0 --max-time 10 --max-filesize 1 -o /dev/null -w '\nanswer %{http_code}|%header{content-range}|%header{content-length}\n' || true
    said=$(last_said)
    IFS='|' read -r status range length <<<"${said#answer }"
    if [[ $status == 206 && $range =~ ^bytes\ 0-0/([0-9]{1,15})$ ]]; then
        length=${BASH_REMATCH[1]}
    elif [[ $status != 200 ]]; then
        echo "answer ${status:-000}: $(complaint)" >&2
        exit 71
    elif [[ ! $length =~ ^[0-9]{1,15}$ ]]; then
        length=-1
    fi
    echo "look $length $(free_bytes)"
}

# By https alone, wherever it leads; what lies in closed networks the firewall refuses. The address may hold a token: it is no argument.
request() {
    printf 'url = "%s"\n' "$URL" | as_site 5400 curl -q -sSL -K - --proto =https --proto-redir =https --max-redirs 5 --connect-timeout 15 "$@"
}

free_bytes() { df --output=avail -B1 /var/www | tail -n 1 | tr -d ' '; }

too_small() {
    echo "the disk has $(($(free_bytes) >> 20)) MB free, and $(($1 >> 20)) MB are needed" >&2
    return 66
}

# A folder whose name is root's, and its content the site's.
folder() { if [[ ! -d $1 ]]; then install -d -m 700 -o www-data -g www-data "$1"; fi; }

emptied() {
    if [[ ! -e $1 ]]; then return; fi
    within 900 find "$1" -mindepth 1 -delete </dev/null || true
    rmdir "$1"
}

import_php_run() { as_site "$1" php -d auto_prepend_file=none -d memory_limit=256M -d display_errors=stderr "$WORK/import.php" "${@:2}"; }

# What writes files, none of them larger than BYTES: writing BYTES SECONDS PROGRAM...
writing() {
    (ulimit -f $(($1 > 1024 ? $1 / 1024 : 1)) && within "${@:2}") >"$ANSWERS/said" 2>"$ANSWERS/complained"
}

# The exit code of a program of ours that ran as the site, whose complaint goes into the log.
told() {
    local code=0
    "$@" || code=$?
    if [[ $code != 0 ]]; then complaint >&2; fi
    return "$code"
}

phase_fetch() {
    local try code
    emptied "$NEW"
    emptied "$FORMER" # of one that was killed when it had done all but this
    if [[ ! -e $STATE/content.fetching || $(cat "$STATE/content.fetching") != "$JOB" ]]; then
        emptied "$IMPORT"
        echo "$JOB" >"$STATE/content.fetching"
    fi
    folder "$IMPORT"
    for ((try = 1; try <= TRIES; try++)); do
        code=0
        fetch_on || code=$?
        case $code in
        0) return ;;
        65 | 66) return "$code" ;;
        esac
        sleep $((try < 10 ? try : 10))
    done
    return 70
}

fetch_on() {
    local have most code=0 status
    have=$(fetched)
    most=$(($(free_bytes) + have - RESERVE))
    if ((SIZE > most)); then too_small "$SIZE" || return; fi
    if ((SIZE >= 0 && have == SIZE)); then return; fi
    printf 'url = "%s"\n' "$URL" | writing "$most" 5400 curl -q -fsSL -K - --proto =https --proto-redir =https --max-redirs 5 \
        --connect-timeout 15 --speed-limit 1024 --speed-time 60 -C - -o "$IMPORT/archive" -w '%{http_code}' || code=$?
    status=$(last_said)
    complaint >&2
    have=$(fetched)
    case $code in
    0) if ((SIZE < 0 || have == SIZE)); then return; fi ;;
    23 | 63 | 153) too_small "$most" || return ;;
    22) if [[ $status =~ ^4 && $status != 408 && $status != 416 && $status != 429 ]]; then return 65; fi ;;
    1 | 3 | 35 | 47 | 51 | 60) return 65 ;; # no https, a redirect to elsewhere, no certificate that holds
    esac
    if [[ $code == 33 || $status == 416 ]] || ((SIZE >= 0 && have > SIZE)); then within 60 rm -f "$IMPORT/archive" </dev/null; fi
    return 70
}

fetched() {
    # shellcheck disable=SC2016
    as_site 10 sh -c 'if [ -f "$1" ]; then stat -c %s "$1"; else echo 0; fi' - "$IMPORT/archive" </dev/null
    last_said
}

phase_unpack() {
    local most kind program=(php -d auto_prepend_file=none -d memory_limit=256M -d display_errors=stderr "$WORK/import.php")
    import_php | for_the_site import.php
    if [[ -e $IMPORT/tree ]]; then within 900 rm -rf "$IMPORT/tree" </dev/null; fi
    within 10 mkdir "$IMPORT/tree" </dev/null
    most=$(($(free_bytes) - RESERVE))
    as_site 10 head -c 4 "$IMPORT/archive" </dev/null
    kind=$(od -An -tx1 -N4 "$ANSWERS/said" | tr -d ' \n')
    if [[ $kind == 504b0304 ]]; then
        told writing "$most" 5400 "${program[@]}" unzip "$IMPORT/archive" "$IMPORT/tree" "$most" </dev/null
    else
        told untar "$most"
    fi
    within 900 rm -f "$IMPORT/archive" </dev/null
    emptied "$NEW"
    folder "$NEW"
    most=$(($(free_bytes) - RESERVE))
    told writing "$most" 1800 "${program[@]}" arrange "$IMPORT/tree" "$NEW" "$most" </dev/null
    [[ $(last_said) =~ ^arranged\ ([0-9]{1,15})\ (whole|part)$ ]] || return 70
    if [[ ${BASH_REMATCH[2]} == part ]]; then own_core; fi
    # Its tables take about twice what its text does, until the former ones are gone.
    if ((BASH_REMATCH[1] * 2 > $(free_bytes) - RESERVE)); then too_small $((BASH_REMATCH[1] * 2)); fi
}

# Its sizes are listed first. tar makes no path that leads out of the folder; whatever is no file or folder goes again.
untar() {
    # shellcheck disable=SC2016
    local sizes='
        /^[bcps]/ { odd = 1; exit }
        /^-/ { bytes += $3 }
        { files++; if (bytes > most || files > 1000000) exit }
        END { print "listed " (odd ? "odd" : bytes > most ? "large" : files > 1000000 ? "many" : files > 0 ? "fits" : "nothing") }'
    # shellcheck disable=SC2016
    as_site 3600 sh -c 'tar --quoting-style=escape -tvf "$1" | awk -v most="$2" "$3"' - "$IMPORT/archive" "$1" "$sizes" </dev/null
    case $(last_said) in
    'listed fits') ;;
    'listed large') too_small "$1" || return ;;
    *) echo "not a tar or zip that can be taken: $(last_said)" >&2 && return 65 ;;
    esac
    writing "$1" 5400 tar --no-same-owner --no-same-permissions -xf "$IMPORT/archive" -C "$IMPORT/tree" </dev/null || return 65
    # shellcheck disable=SC2016
    within 900 sh -c 'find "$1" ! -type f ! -type d -delete && chmod -R u=rwX,go=rX "$1"' - "$IMPORT/tree" </dev/null
}

# Only wp-content came along: WordPress itself stays as it is.
own_core() {
    # shellcheck disable=SC2016
    within 300 sh -c 'cd "$1" && for name in *.php wp-admin wp-includes; do
        if [ "$name" != wp-config.php ]; then rm -rf "$2/$name" && cp -a "$name" "$2/"; fi; done' - "$ROOT" "$NEW" </dev/null
}

phase_database() {
    local code=0 password
    password=$(openssl rand -hex 24)
    # Accounts and empty databases alone, as root: what the tables hold is the site's.
    timeout -k 2 120 mariadb --init-command='SET SESSION lock_wait_timeout = 20' 9>&- <<-SQL
	DROP DATABASE IF EXISTS $SPARE;
	CREATE DATABASE $SPARE CHARACTER SET utf8mb4;
	DROP DATABASE IF EXISTS $ASIDE;
	CREATE DATABASE $ASIDE CHARACTER SET utf8mb4;
	CREATE USER IF NOT EXISTS '$SPARE'@'localhost';
	ALTER USER '$SPARE'@'localhost' IDENTIFIED BY '$password';
	GRANT ALL ON $SPARE.* TO '$SPARE'@'localhost';
	GRANT ALL ON $SPARE.* TO '$DATABASE'@'localhost';
	GRANT ALL ON $ASIDE.* TO '$DATABASE'@'localhost';
	SQL
    printf '[client]\nuser = %s\npassword = %s\nsocket = %s\n' "$SPARE" "$password" "$SOCKET" | for_the_site import.cnf
    loading_filter | for_the_site import.sed
    # shellcheck disable=SC2016
    as_site 5400 bash -o pipefail -c 'sed -E -f "$1/import.sed" "$2" | mariadb --defaults-file="$1/import.cnf" --sandbox --binary-mode \
        --skip-local-infile --default-character-set=utf8mb4 --max-allowed-packet=1G --init-command="$3" "$4"' - \
        "$WORK" "$IMPORT/dump.sql" "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, max_statement_time = 900" "$SPARE" \
        </dev/null || code=$?
    if [[ $code != 0 ]]; then complaint >&2 && return 65; fi
    site_account | told import_php_run 60 tables "$SPARE"
    [[ $(last_said) =~ ^tables\ \'([A-Za-z0-9_]{1,64})\'(\ [a-z0-9. -]*)?$ ]] || return 70
    echo "${BASH_REMATCH[2]:-}" >"$STATE/content.hosts"
    told import_php_run 20 config "$ROOT/wp-config.php" "$NEW/wp-config.php" "${BASH_REMATCH[1]}" </dev/null
}

# Of a dump's own choice of database, account and server: it has none here. Names of collations that only MySQL 8 knows.
loading_filter() {
    cat <<-'END'
	/^(USE |CREATE DATABASE|CREATE SCHEMA|DROP DATABASE|SET (@@)?GLOBAL|SET @@SESSION\.SQL_LOG_BIN|\/\*![0-9]* *(DROP|CREATE) DATABASE)/Id
	/^(CREATE|\/\*!)/s/DEFINER *= *(`[^`]*`|[^ @]+) *@ *(`[^`]*`|[^ *]+)//g
	/^(CREATE|\)|  `)/s/utf8mb4_0900_[a-z_]+/utf8mb4_unicode_520_ci/g
	END
}

site_account() {
    printf '{"user":"%s","password":"%s","socket":"%s"}' "$DATABASE" "$(cat "$STATE/database")" "$SOCKET"
}

phase_switch() {
    : >"$SWITCHED" # from here until `cleared` there is a way back
    site_account | told import_php_run 60 swap "$SPARE" "$DATABASE" "$ASIDE"
    mv -T "$ROOT" "$FORMER"
    chmod 755 "$NEW"
    mv -T "$NEW" "$ROOT"
    forget_code
}

# PHP may keep what it has read under the same name.
forget_code() { systemctl reload 'php*-fpm.service'; }

# Whoever finds this half done goes on with it.
phase_back() {
    if [[ -e $SWITCHED ]]; then
        import_php | for_the_site import.php
        if [[ -e $FORMER ]]; then
            if [[ -e $ROOT && ! -e $NEW ]]; then mv -T "$ROOT" "$NEW"; fi
            if [[ ! -e $ROOT ]]; then mv -T "$FORMER" "$ROOT"; fi
        fi
        site_account | told import_php_run 60 swap "$ASIDE" "$DATABASE" "$SPARE"
        forget_code
    fi
    cleared
}

cleared() {
    rm -f "$SWITCHED"
    emptied "$IMPORT"
    emptied "$NEW"
    emptied "$FORMER"
    timeout -k 2 120 mariadb --init-command='SET SESSION lock_wait_timeout = 20' 9>&- <<-SQL
	DROP DATABASE IF EXISTS $SPARE;
	DROP DATABASE IF EXISTS $ASIDE;
	DROP USER IF EXISTS '$SPARE'@'localhost';
	GRANT ALL ON $SPARE.* TO '$DATABASE'@'localhost';
	GRANT ALL ON $ASIDE.* TO '$DATABASE'@'localhost';
	REVOKE ALL ON $SPARE.* FROM '$DATABASE'@'localhost';
	REVOKE ALL ON $ASIDE.* FROM '$DATABASE'@'localhost';
	SQL
    rm -f "$STATE/content.fetching" "$STATE/content.hosts"
}

# The names that the imported site had for itself become the one that it has here.
phase_names() {
    local name names tables=0 changes=0 left=0
    read -ra names <"$STATE/content.hosts" || true
    for name in ${names[@]+"${names[@]}"}; do
        if [[ $name == "$TO" ]]; then continue; fi
        FROM=$name addresses
        read -r _ found_tables found_changes found_left <<<"$(last_said)"
        ((tables = found_tables > tables ? found_tables : tables, changes += found_changes, left = found_left)) || true
    done
    echo "found $tables $changes $left" >>"$STATUS"
}

# What an import has brought is served, or what was there before comes back.
phase_served() {
    local answer title try
    for try in 1 2 3 4 5 6; do
        answer=$(trap '' XFSZ && ulimit -f 256 && curl -sS --max-time 30 -o "$WORK/page" -w '%{http_code} %{redirect_url}' \
            -H "Host: $TO" -H 'X-Forwarded-Proto: https' http://127.0.0.1/) || true
        title=$(tr -d '\0' <"$WORK/page" | grep -aom1 '<title>[^<]*' | cut -c1-200 || true)
        case "$answer $title" in
        *install.php* | *setup-config.php* | 000* | 5* | *'Database Error'*) ;;
        *) return 0 ;;
        esac
        sleep "$try"
    done
    echo "the front page of what was imported: ${answer:0:200} $title" >&2
    return 65
}

phase_tidy() { cleared; }
