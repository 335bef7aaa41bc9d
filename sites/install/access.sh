#!/bin/bash
# Ways into a site for whoever administers it: `login [NAME]` (of the site; else its primary one), a link for once and for five
# minutes; `password`, a link to set one (24 hours); `safemode on`, `safemode off`: plugins, theme, must-use plugins, drop-ins and
# maintenance are left out, and are back afterwards as they were.
# lab: access
#
# Arrives on the standard input of `bash -s`; its last line is `link URL`, `safemode on` or `safemode off`. Nothing of it needs room
# on the disk. Exit codes: 64 no such act or bad parameters, 69 nobody administers the site, 70 WordPress does not answer, 78 the
# platform's own files cannot be put right; all else: it went wrong. With 70 the last line may say why, as `failed KIND NAME`: plugin,
# theme, must-use with what the folder or file is called, drop-in with its file, configuration wp-config.php, maintenance
# .maintenance, database -. NAME is at most 80 letters, digits, dots, dashes and underscores, and the site's word alone. `safemode on`
# that ends with 70 has turned nothing on; it may be on already.

# parameters

ROOT=/var/www/wordpress
PRIMARY_DOMAIN=/etc/wordpress-primary-domain
# On a tmpfs: neither a snapshot nor a reboot brings a link back.
TOKENS=/run/nodepoint-login
# The second one is for a disk that is full, until the next restart.
FLAGS=(/etc/nodepoint/safemode /run/nodepoint-safemode)

main() {
    clean_environment
    set -Eeuo pipefail
    umask 022
    [[ -n ${ADMIN_EMAIL:-} ]] || exit 64
    [[ ${1:-} == login || ${1:-} == password || "${1:-} ${2:-}" =~ ^safemode\ (on|off)$ ]] || exit 64
    ANSWERS=$(mktemp -d /run/nodepoint.XXXXXXXX)
    trap 'rm -rf "$ANSWERS"' EXIT
    place_platform || exit 78
    "$1" "${2:-}"
}

login() {
    local domain=$1 token digest
    if [[ -z $domain ]]; then domain=$(primary_domain); fi
    [[ $domain =~ ^[a-z0-9.-]+$ ]] || exit 64
    answers "$domain" || does_not_answer
    install -d -m 700 -o www-data -g www-data "$TOKENS"
    token=$(openssl rand -hex 32)
    digest=$(printf %s "$token" | sha256sum | cut -c 1-64)
    # Only the token's digest is kept. Whoever has removed this file, and nobody else, is let in.
    # shellcheck disable=SC2016
    printf %s "$ADMIN_EMAIL" | as_site 5 sh -c 'find "$1" -mindepth 1 -maxdepth 1 -type f -mmin +5 -delete; cat >"$1/$2"' - "$TOKENS" "$digest"
    echo "link https://$domain/wp-admin/admin-post.php?action=nodepoint_login#$token"
}

primary_domain() {
    local domain
    domain=$(head -n 1 "$PRIMARY_DOMAIN")
    [[ $domain =~ ^[a-z0-9.-]+$ ]] || { echo 'the primary domain is not set' >&2; exit 78; }
    echo "$domain"
}

# Whether the page that takes the token is there, which takes nginx, PHP, the database and all active plugins.
answers() {
    local domain=$1
    look "https://$domain/wp-admin/admin-post.php?action=nodepoint_login" "$domain"
    [[ $PAGE == *'name="nodepoint_token"'* ]]
}

# look URL DOMAIN: the page from inside, as a visitor who stays within the container; prepend.php tells such a one what has failed. The
# address goes by standard input, since arguments are public.
look() {
    PAGE=$(printf 'url = "%s"\n' "$1" | curl -sSkL -K - --max-time 8 --max-redirs 2 --proto '=https' --noproxy '*' -b '' -w '%{stderr}HTTP %{http_code}\n' --connect-to "::127.0.0.1:443" \
        -H "Host: $2" -H 'X-Nodepoint-Look: yes' 2>"$ANSWERS/curl" | head -c 262144 | tr -d '\0') || true
}

does_not_answer() {
    local told='nodepoint failed ([a-z-]{1,20} [A-Za-z0-9._-]{1,80}) -->'
    if [[ $PAGE =~ $told ]]; then echo "failed ${BASH_REMATCH[1]}"; fi
    echo "the login page does not answer as it should $(head -c 200 "$ANSWERS/curl")" >&2
    exit 70
}

safemode() {
    local flag before=''
    if [[ $1 == off ]]; then
        rm -f "${FLAGS[@]}"
    else
        for flag in "${FLAGS[@]}"; do if [[ -e $flag ]]; then before=yes; fi; done
        : 2>/dev/null >"${FLAGS[0]}" || : >"${FLAGS[1]}"
        answers "$(primary_domain)" || { if [[ -z $before ]]; then rm -f "${FLAGS[@]}"; fi; does_not_answer; }
    fi
    forget_cached || echo 'pages that were kept are shown for another hour' >&2
    echo "safemode $1"
}

password() {
    local domain answer link
    domain=$(primary_domain)
    # A new key takes the old one's place, so nobody's is made where its page would not be shown.
    look "https://$domain/wp-login.php?action=lostpassword" "$domain"
    [[ $(tail -n 1 "$ANSWERS/curl") == 'HTTP 200' ]] || does_not_answer
    # The site's own code runs as its own user; of what it writes only a line of exactly this form is believed.
    reset_key
    answer=$(last_said)
    if [[ $answer == nobody ]]; then exit 69; fi
    [[ $answer =~ ^key\ ([A-Za-z0-9]+)\ ([A-Za-z0-9%._~-]+)$ ]] || { answers "$domain" || true; does_not_answer; }
    link="https://$domain/wp-login.php?action=rp&key=${BASH_REMATCH[1]}&login=${BASH_REMATCH[2]}"
    look "$link" "$domain"
    [[ $PAGE == *'name="pass1"'* ]] || does_not_answer # nobody is sent to an error page
    echo "link $link"
}

# As in safe mode: whatever is broken is no obstacle.
reset_key() {
    as_site 12 env NODEPOINT_SAFE=1 php -d display_errors=0 -- "$ROOT" "$ADMIN_EMAIL" <<'END' || true
<?php
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
require '/usr/share/nodepoint/login.php';
$user = NodePoint\administrator($argv[2]);
if (!$user) {
    exit("\nnobody\n");
}
$key = get_password_reset_key($user);
if (is_wp_error($key)) {
    fwrite(STDERR, $key->get_error_code());
    exit(1);
}
echo "\nkey $key ", rawurlencode($user->user_login), "\n";
END
}

# with inside.sh
# with platform.sh
# with cached.sh

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
