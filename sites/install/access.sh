#!/bin/bash
# Makes links that let the site's administrator in: `login [NAME]` (of the site; else its primary one), once and within five minutes, and `password`, to set one (24 hours).
# lab: access
#
# Arrives on the standard input of `bash -s`; its last line is `link URL`. Exit codes: 64 no such act or bad parameters,
# 69 nobody administers the site, 70 WordPress does not answer, 78 its folders take no plugin; all else: it went wrong.

# parameters

ROOT=/var/www/wordpress
PRIMARY_DOMAIN=/etc/wordpress-primary-domain
PLUGIN=nodepoint-login.php
# On a tmpfs: neither a snapshot nor a reboot brings a link back.
TOKENS=/run/nodepoint-login

main() {
    clean_environment
    set -Eeuo pipefail
    umask 022
    [[ -n ${ADMIN_EMAIL:-} ]] || exit 64
    [[ ${1:-} == login || ${1:-} == password ]] || exit 64
    ANSWERS=$(mktemp -d /run/nodepoint.XXXXXXXX)
    trap 'rm -rf "$ANSWERS"' EXIT
    "$1" "${2:-}"
}

login() {
    local domain=$1 token digest
    if [[ -z $domain ]]; then domain=$(primary_domain); fi
    [[ $domain =~ ^[a-z0-9.-]+$ ]] || exit 64
    write_plugin
    answers "$domain" || { echo 'the login page does not answer as it should' >&2; exit 70; }
    install -d -m 700 -o www-data -g www-data "$TOKENS"
    token=$(openssl rand -hex 32)
    digest=$(printf %s "$token" | sha256sum | cut -c 1-64)
    # Only the token's digest is kept. Whoever has removed this file, and nobody else, is let in.
    # shellcheck disable=SC2016
    as_site 5 sh -c 'find "$1" -mindepth 1 -maxdepth 1 -type f -mmin +5 -delete; : >"$1/$2"' - "$TOKENS" "$digest"
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
    local page
    page=$(curl -sS --max-time 8 -H "Host: $1" -H 'X-Forwarded-Proto: https' \
        'http://127.0.0.1/wp-admin/admin-post.php?action=nodepoint_login' | head -c 65536 | tr -d '\0') || return 1
    [[ $page == *'name="nodepoint_token"'* ]]
}

# The site can turn each of these folders into a link at any moment: it is the site's user who writes there, never root.
write_plugin() {
    # shellcheck disable=SC2016
    plugin | as_site 10 sh -euc '
        cd "$1"
        [ -d mu-plugins ] || mkdir -m 755 mu-plugins
        cd mu-plugins
        draft=$(mktemp ./.nodepoint-login.XXXXXXXX)
        cat >"$draft"
        chmod 644 "$draft"
        if [ -f "$2" ] && cmp -s "$draft" "$2"; then rm -f "$draft"; else mv -fT "$draft" "$2"; fi
    ' - "$ROOT/wp-content" "$PLUGIN" || { complaint >&2; exit 78; }
}

plugin() {
    echo '<?php'
    echo "const NODEPOINT_EMAIL = '$(printf %s "$ADMIN_EMAIL" | base64 -w 0)'; // base64"
    echo "const NODEPOINT_TOKENS = '$TOKENS';"
    cat <<'END'
/*
 * Plugin Name: NodePoint login
 * Description: One-time login links of the customer portal. Written by the hosting platform, which restores it when it is changed.
 */

defined('ABSPATH') || exit;

add_action('admin_post_nopriv_nodepoint_login', 'nodepoint_login');
add_action('admin_post_nodepoint_login', 'nodepoint_login');
// wp-admin looks for updates before it answers, which takes long where the way out is slow.
if (($_REQUEST['action'] ?? '') === 'nodepoint_login') {
    foreach (['core', 'plugins', 'themes'] as $updates) {
        remove_action('admin_init', "_maybe_update_$updates");
    }
}

function nodepoint_login() {
    nocache_headers();
    header('Cache-Control: no-store');
    header('Referrer-Policy: no-referrer');
    header('X-Robots-Tag: noindex');
    if (($_SERVER['REQUEST_METHOD'] ?? '') === 'POST') {
        nodepoint_redeem();
    } else {
        nodepoint_page();
    }
    exit;
}

// The token stands behind the # of the link, which browsers send to nobody: no log has it, and whoever only
// looks at the link (mail scanners, previews) does not use it up.
function nodepoint_page() {
    $nonce = bin2hex(random_bytes(16));
    header("Content-Security-Policy: default-src 'none'; script-src 'nonce-$nonce'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    header('Content-Type: text/html; charset=utf-8');
    ?>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Log in</title></head>
<body>
<form method="post" action="admin-post.php?action=nodepoint_login">
<input type="hidden" name="nodepoint_token" value="">
<p id="message"><noscript>JavaScript is needed to log in with this link.</noscript></p>
<button hidden>Log in</button>
</form>
<script nonce="<?php echo esc_attr($nonce); ?>">
var form = document.forms[0], token = location.hash.slice(1);
history.replaceState(null, '', location.pathname + location.search);
if (/^[0-9a-f]{64}$/.test(token)) {
    form.elements.nodepoint_token.value = token;
    form.elements[1].hidden = false;
    form.submit();
} else {
    document.getElementById('message').textContent = 'This login link is not complete. Please ask for a new one in the customer portal.';
}
</script>
</body>
</html>
<?php
}

function nodepoint_redeem() {
    $token = $_POST['nodepoint_token'] ?? '';
    if (!is_string($token) || !preg_match('/^[0-9a-f]{64}\z/', $token)) {
        nodepoint_refuse();
    }
    $file = NODEPOINT_TOKENS . '/' . hash('sha256', $token);
    $made = @filemtime($file);
    // Of many at the same moment, unlink() succeeds for one.
    if ($made === false || !@unlink($file) || time() - $made > 300) {
        nodepoint_refuse();
    }
    $user = nodepoint_administrator();
    if (!$user) {
        wp_die('Nobody administers this site.', '', ['response' => 500]);
    }
    wp_set_current_user($user->ID);
    wp_set_auth_cookie($user->ID, false);
    do_action('wp_login', $user->user_login, $user);
    wp_safe_redirect(admin_url());
}

function nodepoint_refuse() {
    wp_die('This login link was used before or is older than five minutes. Please ask for a new one in the customer portal.', 'Log in', ['response' => 403]);
}

// Whoever has the e-mail address of the order, else the first.
function nodepoint_administrator() {
    $users = get_users(['role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC']);
    foreach ($users as $user) {
        if (strcasecmp($user->user_email, base64_decode(NODEPOINT_EMAIL)) === 0) {
            return $user;
        }
    }
    return $users[0] ?? null;
}
END
}

password() {
    local domain answer
    domain=$(primary_domain)
    write_plugin
    # The site's own code runs as its own user; of what it writes only a line of exactly this form is believed.
    reset_key "$domain"
    answer=$(last_said)
    case $answer in
    nobody) exit 69 ;;
    key\ *) ;;
    *) echo 'WordPress gave no key' >&2; exit 70 ;;
    esac
    [[ $answer =~ ^key\ ([A-Za-z0-9]+)\ ([A-Za-z0-9%._~-]+)$ ]] || exit 70
    echo "link https://$domain/wp-login.php?action=rp&key=${BASH_REMATCH[1]}&login=${BASH_REMATCH[2]}"
}

# Without plugins and theme, which WordPress leaves out while it is being installed: a broken one is no obstacle.
reset_key() {
    as_site 12 php -d display_errors=0 -- "$ROOT" "$1" <<'END' || true
<?php
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => $argv[2], 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'HTTP_X_FORWARDED_PROTO' => 'https'];
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
$user = nodepoint_administrator();
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

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
