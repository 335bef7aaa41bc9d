# shellcheck shell=bash disable=SC2154
# What belongs to one site: its database, wp-config.php, mail, firewall and web server. Part of wordpress.sh.

# Made once and kept: a second run must not change the password of a site that is in use.
secret() {
    [[ -s $STATE/$1 ]] || (umask 077 && openssl rand -hex 24 >"$STATE/$1")
    cat "$STATE/$1"
}

phase_database() {
    local password
    password=$(secret database)
    # Accounts alone: the tables are the site's, whose views, triggers and functions would run with root's rights.
    timeout -k 2 60 mariadb --init-command='SET SESSION lock_wait_timeout = 20' 9>&- <<-END
	CREATE DATABASE IF NOT EXISTS $DATABASE CHARACTER SET utf8mb4;
	CREATE USER IF NOT EXISTS '$DATABASE'@'localhost';
	ALTER USER '$DATABASE'@'localhost' IDENTIFIED BY '$password';
	GRANT ALL ON $DATABASE.* TO '$DATABASE'@'localhost';
	DROP USER IF EXISTS ''@'localhost';
	DROP DATABASE IF EXISTS test;
	END
}

# SQL on standard input, as the site's own account and not for long: what the customer has made of his tables runs with his
# rights. A clock of root's besides, since a trigger can set the session's; the server goes on without its client, hence KILL.
site_sql() {
    local code=0 session
    { echo 'SELECT CONNECTION_ID();' && cat; } | timeout -k 2 25 mariadb --defaults-file=<(site_account) -BN --unbuffered \
        --init-command='SET SESSION max_statement_time = 10, SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10' \
        "$DATABASE" 9>&- >"$STATE/site.rows" || code=$?
    if [[ $code == 124 || $code == 137 ]]; then
        echo 'the tables of the site do not answer' >&2
        session=$(head -n 1 "$STATE/site.rows")
        if [[ $session =~ ^[0-9]+$ ]]; then timeout -k 2 10 mariadb -e "KILL $session" 9>&- || true; fi
    fi
    tail -n +2 "$STATE/site.rows" | head -c 4096
    return "$code"
}

site_account() { printf '[client]\nuser = %s\npassword = %s\n' "$DATABASE" "$(secret database)"; }

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
    printf 'account default\nfrom wordpress@%s\ndomain %s\n' "$SITE_HOSTNAME" "$SITE_HOSTNAME"
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

# An open installer is taken over by the first who finds it, so the installation is finished before anything is served.
phase_installation() {
    if [[ ! -e $STATE/installed ]]; then
        install_wordpress || { complaint >&2 && return 1; }
        [[ $(last_said) == installed ]] || { echo 'WordPress was not installed:' && complaint; return 1; } >&2
        : >"$STATE/installed"
    fi
    name_in_database
}

# wp-config.php goes before it. This is for tools that look at the tables alone; whoever has renamed those knows better.
name_in_database() {
    local found
    found=$(site_sql <<<"SHOW TABLES LIKE 'wp\_options'")
    if [[ -n $found ]]; then
        site_sql <<<"UPDATE wp_options SET option_value = 'https://$PRIMARY_DOMAIN' WHERE option_name IN ('siteurl', 'home')"
    fi
}

# WordPress ends with 0 also where it could not reach its database.
install_wordpress() {
    as_site 240 php -d display_errors=stderr -- "$ROOT" "$PRIMARY_DOMAIN" "${SITE_HOSTNAME%%.*}" "$ADMIN_EMAIL" <<'END'
<?php
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => $argv[2], 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'HTTP_X_FORWARDED_PROTO' => 'https'];
function wp_mail() { return true; }
chdir($argv[1]);
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    // It would ask itself whether pretty links work, and nothing answers yet.
    add_filter('pre_http_request', fn() => new WP_Error('offline'));
    wp_install($argv[2], $argv[3], $argv[4], true, '', wp_generate_password(32));
    $GLOBALS['wp_rewrite']->set_permalink_structure('/%postname%/');
    flush_rewrite_rules();
}
if (is_blog_installed()) {
    echo "\ninstalled";
}
END
}

phase_web() {
    CHANGED=
    firewall | place /etc/nftables.conf
    systemctl -q enable nftables
    systemctl reload-or-restart nftables
    if [[ ! -e /etc/nginx/loopback.key ]]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7300 -subj /CN=localhost \
            -keyout /etc/nginx/loopback.key -out /etc/nginx/loopback.pem
    fi
    nginx_site | place /etc/nginx/sites-available/default
    place /etc/nginx/site-php.conf <<-'END'
	try_files $uri =404;
	include fastcgi_params;
	fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
	fastcgi_param HTTPS $site_https if_not_empty;
	fastcgi_read_timeout 300;
	fastcgi_pass unix:/run/php/site.sock;
	END
    ln -sf ../sites-available/default /etc/nginx/sites-enabled/default
    nginx -t -q
    systemctl -q enable nginx
    if [[ -n $CHANGED ]]; then systemctl reload-or-restart nginx; fi
}

# The same as the rules of Proxmox VE's firewall, which holds where root in here does not: see sites/isolation.py. Neighbour
# discovery of IPv6 goes to and from link-local addresses, which are closed to all else.
firewall() {
    local neighbours='icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept'
    cat <<-END
	flush ruleset
	table inet filter {
	    chain input {
	        type filter hook input priority 0; policy drop;
	        ct state established,related accept
	        iif lo accept
	        $neighbours
	        $FIREWALL_IN
	    }
	    chain output {
	        type filter hook output priority 0; policy accept;
	        ct state established,related accept
	        oif lo accept
	        $neighbours
	        $FIREWALL_OUT
	    }
	}
	END
}

nginx_site() {
    local proxy
    for proxy in $PROXY_IPS; do echo "set_real_ip_from $proxy;"; done
    cat <<-'END'
	real_ip_header X-Forwarded-For;
	limit_req_zone $binary_remote_addr zone=login:1m rate=1r/s;
	limit_req_status 429;
	map $http_x_forwarded_proto:$https $site_https { default ""; ~^https: on; ~:on$ on; }
	# Without what stands behind the question mark: the keys of password links do.
	log_format site '$remote_addr [$time_iso8601] $host "$request_method $uri" $status $body_bytes_sent $request_time';
	server {
	    listen 80 default_server;
	    listen 127.0.0.1:443 ssl; # the site's calls to itself
	    ssl_certificate /etc/nginx/loopback.pem;
	    ssl_certificate_key /etc/nginx/loopback.key;
	    server_name _;
	    server_tokens off;
	    access_log /var/log/nginx/access.log site;
	    root /var/www/wordpress;
	    index index.php;
	    client_max_body_size 128m;
	    location = /healthz { access_log off; return 200 "ok\n"; }
	    location ~ /\.(?!well-known/) { deny all; }
	    location ~* ^/(?:wp-config\.php|readme\.html|license\.txt|xmlrpc\.php)$ { deny all; }
	    location ~* ^/wp-admin/(?:install|setup-config|load-scripts|load-styles)\.php$ { deny all; }
	    location ~* /(?:uploads|files|cache|upgrade)/.*\.ph(?:p\d?|tml|ar)$ { deny all; }
	    location ~* (?:\.(?:bak|log|old|orig|save|sql|swp)|~)$ { deny all; }
	    location / { try_files $uri $uri/ /index.php?$args; }
	    location = /wp-login.php { limit_req zone=login burst=10 nodelay; include /etc/nginx/site-php.conf; }
	    location ~ \.php$ { include /etc/nginx/site-php.conf; }
	}
	END
}

# Old workers of nginx may answer for a moment after a reload.
phase_verification() {
    local page=$STATE/page try
    for try in 1 2 3 4 5 6; do
        if serves "$page"; then break; fi
        [[ $try != 6 ]]
        sleep 0.5
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
    case "$answer $title" in
    *install.php* | *setup-config.php* | 502* | 504* | *'Database Error'* | *'Welcome to nginx'*)
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
            -H 'X-Forwarded-Proto: https' "http://127.0.0.1$1") || code=$?
    echo "${answer:0:300}"
    [[ $code == 0 || $code == 23 ]]
}
