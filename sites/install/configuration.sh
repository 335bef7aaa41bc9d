# shellcheck shell=bash disable=SC2154
# wp-config.php, the names a site goes by, cron, mail. Part of wordpress.sh.

phase_configuration() {
    rm -rf /etc/vzdump # what the archive of a golden template has kept of the container it was made of
    echo "$PRIMARY_DOMAIN" | place "$PRIMARY"
    echo "$SITE_HOSTNAME" | place /etc/wordpress-platform-domain
    # The site's calls to itself stay inside. Proxmox VE rewrites nothing but its own section of this file.
    { sed '/# nodepoint$/d' /etc/hosts && echo "127.0.0.1 $PRIMARY_DOMAIN # nodepoint"; } | place /etc/hosts
    if [[ ! -e $ROOT/wp-config.php ]]; then
        (umask 077 && wp_config >"$STATE/wp-config.php")
        as_site 20 php -l <"$STATE/wp-config.php" || { complaint >&2 && return 1; }
        chown root:www-data "$STATE/wp-config.php"
        chmod 640 "$STATE/wp-config.php"
        renamed "$STATE/wp-config.php" "$ROOT/wp-config.php"
    fi
    echo "$CRON_MINUTE-59/5 * * * * www-data cd $ROOT && timeout 240 php wp-cron.php >/dev/null 2>&1" | place /etc/cron.d/wordpress
    configure_mail
}

# Into a folder of the site's: this follows no link there and opens nothing, as mv does between filesystems.
renamed() { perl -e 'rename $ARGV[0], $ARGV[1] or die "$ARGV[1]: $!\n"' "$1" "$2"; }

wp_config() {
    local name
    echo '<?php'
    for name in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
        echo "define('$name', '$(openssl rand -hex 32)');"
    done
    echo "define('DB_NAME', '$DATABASE');"
    echo "define('DB_USER', '$DATABASE');"
    echo "define('DB_PASSWORD', '$(secret database)');"
    cat <<-'END'
	define('DB_HOST', 'localhost:/run/mysqld/mysqld.sock');
	define('DB_CHARSET', 'utf8mb4');
	define('DB_COLLATE', '');
	$table_prefix = 'wp_';

	// The one name that the site has for itself; every other one leads there.
	$primary_domain = trim((string) file_get_contents('/etc/wordpress-primary-domain'));
	// Whoever administers it gets in by the platform's name too, also while the primary one leads elsewhere.
	$platform_domain = is_readable('/etc/wordpress-platform-domain') ? trim((string) file_get_contents('/etc/wordpress-platform-domain')) : '';
	if ($platform_domain !== '' && strtolower($_SERVER['HTTP_HOST'] ?? '') === $platform_domain
	    && (preg_match('#^/wp-(?:admin/|login\.php)#', $_SERVER['REQUEST_URI'] ?? '') || preg_grep('/^wordpress_logged_in_/', array_keys($_COOKIE)))) {
	    $primary_domain = $platform_domain;
	}
	define('WP_HOME', 'https://' . $primary_domain);
	define('WP_SITEURL', 'https://' . $primary_domain);
	if (PHP_SAPI !== 'cli' && preg_replace('/:\d+$/', '', strtolower($_SERVER['HTTP_HOST'] ?? '')) !== $primary_domain) {
	    header('Cache-Control: no-cache');
	    header('Location: https://' . $primary_domain . ($_SERVER['REQUEST_URI'] ?? '/'), true, 301);
	    exit;
	}
	// The firewall lets nobody in but the proxy, so that this can be believed.
	if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
	    $_SERVER['HTTPS'] = 'on';
	}

	define('FS_METHOD', 'direct');
	define('DISALLOW_FILE_EDIT', true);
	define('WP_AUTO_UPDATE_CORE', 'minor');
	define('DISABLE_WP_CRON', true);
	define('WP_POST_REVISIONS', 10);
	define('CONCATENATE_SCRIPTS', false);
	define('WP_MEMORY_LIMIT', '256M');
	define('WP_DEBUG', false);
	if (!defined('ABSPATH')) {
	    define('ABSPATH', __DIR__ . '/');
	}
	require_once ABSPATH . 'wp-settings.php';
	END
}

configure_mail() {
    local version name
    version=$(php_version)
    CHANGED=
    if [[ -n $SMTP_URL ]]; then
        install -m 640 -g www-data /dev/null /etc/msmtprc.new
        msmtp_options >/etc/msmtprc.new
        mv /etc/msmtprc.new /etc/msmtprc
    else
        rm -f /etc/msmtprc
    fi
    for name in fpm cli; do
        if [[ -n $SMTP_URL ]]; then echo 'sendmail_path = "/usr/bin/msmtp -t"'; fi | place "/etc/php/$version/$name/conf.d/91-mail.ini"
    done
    if [[ -n $CHANGED ]]; then systemctl restart "php$version-fpm"; fi
}

# scheme://[user:password@]host[:port]; what is special in a URL is written as %XX.
msmtp_options() {
    local scheme=${SMTP_URL%%://*} rest=${SMTP_URL#*://} login='' port=25
    rest=${rest%%/*}
    if [[ $rest == *@* ]]; then login=${rest%@*}; fi
    rest=${rest##*@}
    printf 'account default\nsyslog LOG_MAIL\nfrom wordpress@%s\ndomain %s\n' "$SITE_HOSTNAME" "$SITE_HOSTNAME"
    case $scheme in
    smtps | smtp+ssl) port=465 && printf 'tls on\ntls_starttls off\n' ;;
    smtp+tls) port=587 && printf 'tls on\ntls_starttls on\n' ;;
    esac
    if [[ $rest =~ :([0-9]+)$ ]]; then port=${BASH_REMATCH[1]} rest=${rest%:*}; fi
    printf 'host %s\nport %s\n' "$rest" "$port"
    if [[ -n $login ]]; then
        printf 'auth plain\nuser "%s"\npassword "%s"\n' "$(decoded "${login%%:*}")" "$(decoded "${login#*:}")"
    fi
}

decoded() {
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}
