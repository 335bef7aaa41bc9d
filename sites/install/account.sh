# shellcheck shell=bash disable=SC2154,SC2034
# The site's own account at its database. Part of wordpress.sh and spare.sh.

SPARE_NAME=spare.invalid # the name of nobody's, under which WordPress is installed in a container that is to wait

# Made once and kept: a second run must not change the password of a site that is in use.
secret() {
    [[ -s $STATE/$1 ]] || (umask 077 && openssl rand -hex 24 >"$STATE/$1")
    cat "$STATE/$1"
}

# SQL on standard input, as the site's own account and not for long: what the customer has made of his tables runs with his
# rights. A clock of root's besides, since a trigger can set the session's; the server goes on without its client, hence KILL.
site_sql() {
    local code=0 session
    { echo 'SELECT CONNECTION_ID();' && cat; } | timeout -k 2 25 mariadb --defaults-file=<(site_account) -BN --unbuffered \
        --init-command='SET SESSION max_statement_time = 10, SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10' \
        "$DATABASE" 9>&- >"$RUN/site.rows" || code=$?
    if [[ $code == 124 || $code == 137 ]]; then
        echo 'the tables of the site do not answer' >&2
        session=$(head -n 1 "$RUN/site.rows")
        if [[ $session =~ ^[0-9]+$ ]]; then timeout -k 2 10 mariadb -e "KILL $session" 9>&- || true; fi
    fi
    tail -n +2 "$RUN/site.rows" | head -c 4096
    return "$code"
}

site_account() { printf '[client]\nuser = %s\npassword = %s\n' "$DATABASE" "$(secret database)"; }
