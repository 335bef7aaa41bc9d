# shellcheck shell=bash disable=SC2154
# Whether the site is served as it should be. Part of wordpress.sh.

# Old workers of nginx may answer for a moment after a reload.
phase_verification() {
    local page=$RUN/page try
    for try in 1 2 3 4 5 6 7 8; do
        if serves "$page"; then break; fi
        [[ $try != 8 ]]
        sleep "0.$try"
    done
    rm "$page"
    if [[ ! -e $STATE/verified ]]; then
        : >"$STATE/verified"
        # WordPress looks for updates before it shows the first page of wp-admin, unless that was done lately.
        within 240 php "$ROOT/wp-cron.php" 9>&- >/dev/null 2>&1 &
    fi
}

serves() {
    local answer title
    answer=$(visit / "$1") || return
    title=$(tr -d '\0' <"$1" | grep -aom1 '<title>[^<]*' | cut -c1-200 || true)
    # In whatever language the page says so; prepend.php tells it.
    if grep -qaF 'nodepoint failed database' "$1"; then title+=' failed database: wp-config.php leads to none that answers'; fi
    case "$answer $title" in
    *'failed database'* | *install.php* | *setup-config.php* | 502* | 504* | *'Database Error'* | *'Welcome to nginx'*)
        echo "front page: $answer $title" >&2
        return 1
        ;;
    esac
    # What the customer has made of his site since is his own business.
    [[ -e $STATE/verified ]] || serves_anew "$1" "$answer$title"
}

serves_anew() {
    local login own
    [[ $2 == "200 <title>$PRIMARY_DOMAIN"* ]] || { echo "front page: $2" >&2 && return 1; }
    login=$(visit /wp-login.php "$1") || return
    [[ $login == '200 ' && $(tr -d '\0' <"$1") == *'id="loginform"'* ]] || { echo "login page: $login" >&2 && return 1; }
    own=$(curl -sSk --max-time 30 -o /dev/null -w '%{http_code}' "https://$PRIMARY_DOMAIN/") || return
    [[ $own == 200 ]] || { echo "its call to itself: $own" >&2 && return 1; }
}

# The beginning of the page, 256 KB of it; where that is not the whole, curl says 23.
visit() {
    local answer code=0
    answer=$(trap '' XFSZ && ulimit -f 256 &&
        curl -sS --max-time 30 -o "$2" -w '%{http_code} %{redirect_url}' -H "Host: $PRIMARY_DOMAIN" \
            -H 'X-Forwarded-Proto: https' -H 'X-Nodepoint-Look: yes' "http://127.0.0.1$1") || code=$?
    echo "${answer:0:300}"
    [[ $code == 0 || $code == 23 ]]
}
