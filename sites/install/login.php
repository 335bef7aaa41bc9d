<?php
/*
 * One-time login links of the customer portal: the page behind one, and what takes its token. The platform's prepend.php calls it.
 */

namespace NodePoint;

const TOKENS = '/run/nodepoint-login';

function answer() {
    nocache_headers();
    header('Cache-Control: no-store');
    header('Referrer-Policy: no-referrer');
    header('X-Robots-Tag: noindex');
    if (($_SERVER['REQUEST_METHOD'] ?? '') === 'POST') {
        redeem();
    } else {
        show_form();
    }
    exit;
}

// The token stands behind the # of the link, which browsers send to nobody: no log has it, and whoever only
// looks at the link (mail scanners, previews) does not use it up.
function show_form() {
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

function redeem() {
    $token = $_POST['nodepoint_token'] ?? '';
    if (!is_string($token) || !preg_match('/^[0-9a-f]{64}\z/', $token)) {
        refuse();
    }
    // It holds the e-mail address of the order.
    $file = TOKENS . '/' . hash('sha256', $token);
    $made = @filemtime($file);
    $email = (string) @file_get_contents($file, false, null, 0, 320);
    // Of many at the same moment, unlink() succeeds for one.
    if ($made === false || !@unlink($file) || abs(time() - $made) > 300) {
        refuse();
    }
    $user = administrator($email);
    if (!$user) {
        wp_die('Nobody administers this site.', '', ['response' => 500]);
    }
    wp_set_current_user($user->ID);
    wp_set_auth_cookie($user->ID, false);
    do_action('wp_login', $user->user_login, $user);
    wp_safe_redirect(admin_url());
}

function refuse() {
    wp_die('This login link was used before or is older than five minutes. Please ask for a new one in the customer portal.', 'Log in', ['response' => 403]);
}

/** Whoever has the e-mail address of the order, else the first. */
function administrator(string $email) {
    $users = get_users(['role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC']);
    foreach ($users as $user) {
        if (strcasecmp($user->user_email, $email) === 0) {
            return $user;
        }
    }
    return $users[0] ?? null;
}
