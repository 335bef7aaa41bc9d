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
    mariadb <<-END
	CREATE DATABASE IF NOT EXISTS $DATABASE CHARACTER SET utf8mb4;
	CREATE USER IF NOT EXISTS '$DATABASE'@'localhost';
	ALTER USER '$DATABASE'@'localhost' IDENTIFIED BY '$password';
	GRANT ALL ON $DATABASE.* TO '$DATABASE'@'localhost';
	DROP USER IF EXISTS ''@'localhost';
	DROP DATABASE IF EXISTS test;
	END
}

phase_configuration() {
    rm -rf /etc/vzdump # what the archive of a golden template has kept of the container it was made of
    echo "$PRIMARY_DOMAIN" | place "$PRIMARY"
    # The site's calls to itself stay inside. Proxmox VE rewrites nothing but its own section of this file.
    { sed '/# nodepoint$/d' /etc/hosts && echo "127.0.0.1 $PRIMARY_DOMAIN # nodepoint"; } | place /etc/hosts
    if [[ ! -e $ROOT/wp-config.php ]]; then
        (umask 077 && wp_config >"$STATE/wp-config.php")
        php -l "$STATE/wp-config.php" >/dev/null
        chown root:www-data "$STATE/wp-config.php"
        chmod 640 "$STATE/wp-config.php"
        mv -T "$STATE/wp-config.php" "$ROOT/wp-config.php"
    fi
    echo "$CRON_MINUTE-59/5 * * * * www-data cd $ROOT && timeout 240 php wp-cron.php >/dev/null 2>&1" | place /etc/cron.d/wordpress
    configure_mail
}

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
        [[ $(install_wordpress) == *installed ]]
        : >"$STATE/installed"
    fi
    name_in_database
}

# wp-config.php goes before it. This is for tools that look at the tables alone; whoever has renamed those knows better.
name_in_database() {
    if [[ -n $(mariadb -BN -e "SHOW TABLES LIKE 'wp\_options'" "$DATABASE") ]]; then
        mariadb -e "UPDATE wp_options SET option_value = 'https://$PRIMARY_DOMAIN' WHERE option_name IN ('siteurl', 'home')" \
            "$DATABASE"
    fi
}

# WordPress ends with 0 also where it could not reach its database.
install_wordpress() {
    setpriv --reuid www-data --regid www-data --clear-groups env -i PATH="$PATH" LC_ALL="$LC_ALL" \
        php -d display_errors=stderr -- "$ROOT" "$PRIMARY_DOMAIN" "${SITE_HOSTNAME%%.*}" "$ADMIN_EMAIL" <<'END'
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

firewall() {
    local proxy family
    cat <<-'END'
	flush ruleset
	table inet filter {
	    chain input {
	        type filter hook input priority 0; policy drop;
	        ct state established,related accept
	        iif lo accept
	        meta l4proto { icmp, ipv6-icmp } accept
	END
    for proxy in $PROXY_IPS; do
        family=ip
        if [[ $proxy == *:* ]]; then family=ip6; fi
        echo "        $family saddr $proxy tcp dport 80 accept"
    done
    printf '    }\n}\n'
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
    local page try
    page=$(mktemp)
    for try in 1 2 3 4 5 6; do
        if serves "$page"; then break; fi
        [[ $try != 6 ]]
        sleep 0.5
    done
    rm "$page"
    if [[ ! -e $STATE/verified ]]; then
        : >"$STATE/verified"
        # WordPress looks for updates before it shows the first page of wp-admin, unless that was done lately.
        setsid timeout 240 setpriv --reuid www-data --regid www-data --clear-groups php "$ROOT/wp-cron.php" 9>&- >/dev/null 2>&1 &
    fi
}

serves() {
    local answer title
    answer=$(visit / "$1") || return
    title=$(grep -om1 '<title>[^<]*' "$1" || true)
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
    [[ $login == '200 ' && $(<"$1") == *'id="loginform"'* ]] || { echo "login page: $login" >&2 && return 1; }
    own=$(curl -sSk --max-time 30 -o /dev/null -w '%{http_code}' "https://$PRIMARY_DOMAIN/") || return
    [[ $own == 200 ]] || { echo "its call to itself: $own" >&2 && return 1; }
}

visit() {
    curl -sS --max-time 30 -o "$2" -w '%{http_code} %{redirect_url}' -H "Host: $PRIMARY_DOMAIN" \
        -H 'X-Forwarded-Proto: https' "http://127.0.0.1$1"
}
