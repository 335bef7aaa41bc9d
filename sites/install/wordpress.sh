#!/bin/bash
# Makes a WordPress of an empty Debian or Ubuntu container, and does no harm when run again.
# lab: install status=/var/lib/nodepoint/install.status
#
# Arrives on the standard input of `bash -s`. Prints `started` and leaves; the work goes on detached from the connection and
# writes a line `phase NAME SECONDS` for each phase into the status file, at the end `done EXITCODE`. Exit codes: 64 bad
# parameters, 75 an earlier run is still at work, 70 to 78 the phase that failed (see CODES).

# parameters

STATE=/var/lib/nodepoint
STATUS=$STATE/install.status
ROOT=/var/www/wordpress
DATABASE=wordpress

prepare() {
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 LANG=C.UTF-8
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
    set -Eeuo pipefail
    umask 022
}

main() {
    prepare
    [[ ${SITE_HOSTNAME:-} =~ ^[a-z0-9.-]+$ && ${MEMORY:-} =~ ^[0-9]+$ && -n ${ADMIN_EMAIL:-} ]] || exit 64
    install -d -m 700 "$STATE"
    exec 9>"$STATE/lock"
    flock -n 9 || { echo busy; exit 75; }
    {
        declare -p SITE_HOSTNAME ADMIN_EMAIL MEMORY PROXY_IPS WORDPRESS_URL SMTP_URL CRON_MINUTE STATE STATUS ROOT DATABASE
        declare -f
        echo run
    } >"$STATE/install.sh"
    chmod 600 "$STATE/install.sh"
    : >"$STATUS"
    # The lock's descriptor goes along: it is held until the work has ended, however it ends.
    setsid bash "$STATE/install.sh" </dev/null >"$STATE/install.log" 2>&1 &
    echo started
}

run() {
    prepare
    trap 'echo "line $LINENO: $BASH_COMMAND" >&2' ERR
    local name code=70
    for name in packages wordpress database configuration firewall installation verification; do
        SECONDS=0
        # In a shell of its own, since `set -e` does not hold inside a condition.
        bash -c "$(declare -p SITE_HOSTNAME ADMIN_EMAIL MEMORY PROXY_IPS WORDPRESS_URL SMTP_URL CRON_MINUTE STATE STATUS ROOT DATABASE; declare -f); prepare; phase_$name" 9>&- || {
            echo "failed $name $code $(tail -n 1 "$STATE/install.log" | tr -cd '[:print:]' | cut -c1-200)" >>"$STATUS"
            echo "done $code" >>"$STATUS"
            return
        }
        echo "phase $name $SECONDS" >>"$STATUS"
        code=$((code + 1))
        if ((code == 75)); then code=76; fi
    done
    echo "done 0" >>"$STATUS"
}

apt_get() {
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

phase_packages() {
    local wanted=(nginx-light mariadb-server php-fpm php-mysql php-curl php-gd php-intl php-mbstring php-xml php-zip
        php-bcmath curl ca-certificates cron logrotate unattended-upgrades nftables openssl)
    [[ -z ${SMTP_URL:-} ]] || wanted+=(msmtp)
    if dpkg-query -W "${wanted[@]}" >/dev/null 2>&1; then return; fi
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do # the network comes up later than the shell
        if apt_get update; then break; fi
        sleep "$try"
    done
    apt_get install -y --no-install-recommends "${wanted[@]}"
}

phase_wordpress() {
    if [[ -e $ROOT/wp-load.php ]]; then return; fi
    local archive new
    archive=$(mktemp) new=$(mktemp -d /var/www/new.XXXXXX)
    curl -fsSL --retry 3 --max-time 300 -o "$archive" "$WORDPRESS_URL"
    if curl -fsSL --max-time 30 -o "$archive.sha1" "$WORDPRESS_URL.sha1"; then
        [[ $(sha1sum <"$archive" | cut -c1-40) == "$(cut -c1-40 "$archive.sha1")" ]]
    fi
    tar -xzf "$archive" -C "$new" --strip-components=1 --no-same-owner
    chown -R www-data:www-data "$new"
    find "$new" -type d -exec chmod 755 {} +
    find "$new" -type f -exec chmod 644 {} +
    mv -T "$new" "$ROOT"
    rm -f "$archive" "$archive.sha1"
}

# Made once and kept: a second run must not change the password of a site that is in use.
secret() {
    [[ -s $STATE/$1 ]] || (umask 077 && openssl rand -hex "${2:-24}" >"$STATE/$1")
    cat "$STATE/$1"
}

phase_database() {
    local pool=$((MEMORY / 4)) children
    children=$(php_children)
    cat >/etc/mysql/mariadb.conf.d/90-nodepoint.cnf <<-END
	[mysqld]
	bind-address = 127.0.0.1
	skip-name-resolve
	skip-log-bin
	performance_schema = off
	innodb_buffer_pool_size = ${pool}M
	innodb_flush_log_at_trx_commit = 1
	innodb_flush_method = O_DIRECT
	max_connections = $((children + 20))
	END
    systemctl enable -q mariadb
    systemctl restart mariadb
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

php_children() { echo $((MEMORY / 170 > 50 ? 50 : MEMORY / 170)); }

php_version() { basename "$(find /etc/php -mindepth 1 -maxdepth 1 -type d | sort -V | tail -n 1)"; }

phase_configuration() {
    echo "$SITE_HOSTNAME" >"$STATE/primary-domain.new"
    install -m 644 "$STATE/primary-domain.new" /etc/wordpress-primary-domain
    [[ -e $ROOT/wp-config.php ]] || write_wp_config
    write_php_pool
    write_nginx
    echo "$CRON_MINUTE-59/5 * * * * www-data cd $ROOT && timeout 240 php wp-cron.php >/dev/null 2>&1" >/etc/cron.d/wordpress
    install -d /etc/systemd/journald.conf.d
    printf '[Journal]\nSystemMaxUse=100M\n' >/etc/systemd/journald.conf.d/nodepoint.conf
    if [[ -n ${SMTP_URL:-} ]]; then write_mail; fi
}

write_wp_config() {
    local name draft
    draft=$(mktemp)
    {
        echo '<?php'
        echo "define('DB_NAME', '$DATABASE');"
        echo "define('DB_USER', '$DATABASE');"
        echo "define('DB_PASSWORD', '$(secret database)');"
        echo "define('DB_HOST', 'localhost:/run/mysqld/mysqld.sock');"
        echo "define('DB_CHARSET', 'utf8mb4');"
        echo "define('DB_COLLATE', '');"
        for name in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
            echo "define('$name', '$(openssl rand -hex 32)');"
        done
        cat <<-'END'
	if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') { $_SERVER['HTTPS'] = 'on'; }
	$primary = trim((string) file_get_contents('/etc/wordpress-primary-domain'));
	define('WP_HOME', 'https://' . $primary);
	define('WP_SITEURL', 'https://' . $primary);
	define('FS_METHOD', 'direct');
	define('DISALLOW_FILE_EDIT', true);
	define('WP_AUTO_UPDATE_CORE', 'minor');
	define('DISABLE_WP_CRON', true);
	define('WP_POST_REVISIONS', 10);
	define('CONCATENATE_SCRIPTS', false);
	define('WP_MEMORY_LIMIT', '256M');
	define('WP_DEBUG', false);
	$table_prefix = 'wp_';
	if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
	require_once ABSPATH . 'wp-settings.php';
	END
    } >"$draft"
    php -l "$draft" >/dev/null
    install -o root -g www-data -m 640 "$draft" "$ROOT/wp-config.php"
    rm -f "$draft"
}

write_php_pool() {
    local version
    version=$(php_version)
    cat >"/etc/php/$version/fpm/pool.d/www.conf" <<-END
	[www]
	user = www-data
	group = www-data
	listen = /run/php/site.sock
	listen.owner = www-data
	listen.group = www-data
	pm = ondemand
	pm.max_children = $(php_children)
	pm.max_requests = 500
	request_terminate_timeout = 300
	php_admin_value[upload_max_filesize] = 128M
	php_admin_value[post_max_size] = 128M
	php_admin_value[memory_limit] = 256M
	php_admin_value[opcache.memory_consumption] = $((MEMORY >= 4096 ? 256 : 128))
	php_admin_value[opcache.max_accelerated_files] = 20000
	END
    install -d "/etc/systemd/system/php$version-fpm.service.d"
    # The kernel ends the biggest process when memory is full; that should be PHP, not the database.
    printf '[Service]\nOOMScoreAdjust=300\n' >"/etc/systemd/system/php$version-fpm.service.d/nodepoint.conf"
    "php-fpm$version" -t 2>/dev/null
    systemctl daemon-reload
    systemctl enable -q "php$version-fpm"
    systemctl restart "php$version-fpm"
}

write_nginx() {
    local proxy
    {
        for proxy in ${PROXY_IPS:-}; do echo "set_real_ip_from $proxy;"; done
        cat <<-'END'
	real_ip_header X-Forwarded-For;
	limit_req_zone $binary_remote_addr zone=login:1m rate=1r/s;
	map $http_x_forwarded_proto $site_https { default ""; https on; }
	server {
	    listen 80 default_server;
	    server_name _;
	    root /var/www/wordpress;
	    index index.php;
	    client_max_body_size 128m;
	    server_tokens off;
	    location = /healthz { return 200 "ok\n"; }
	    location ~ /\.(?!well-known) { deny all; }
	    location ~* ^/(?:wp-config\.php|readme\.html|license\.txt|xmlrpc\.php)$ { deny all; }
	    location ~* /(?:uploads|files|cache)/.*\.php$ { deny all; }
	    location ~* \.(?:bak|log|old|orig|sql|swp)$ { deny all; }
	    location / { try_files $uri $uri/ /index.php?$args; }
	    location = /wp-login.php { limit_req zone=login burst=10 nodelay; include /etc/nginx/site-php.conf; }
	    location ~ \.php$ { include /etc/nginx/site-php.conf; }
	}
	END
    } >/etc/nginx/sites-available/default
    cat >/etc/nginx/site-php.conf <<-'END'
	try_files $uri =404;
	include fastcgi_params;
	fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
	fastcgi_param HTTPS $site_https if_not_empty;
	fastcgi_read_timeout 300;
	fastcgi_pass unix:/run/php/site.sock;
	END
    ln -sf ../sites-available/default /etc/nginx/sites-enabled/default
    nginx -t -q
    systemctl enable -q nginx
    systemctl restart nginx
}

write_mail() {
    local rest=${SMTP_URL#*://} login='' address
    if [[ $rest == *@* ]]; then login=${rest%@*}; fi
    address=${rest##*@}
    {
        echo "account default"
        echo "host ${address%%:*}"
        echo "port $([[ $address == *:* ]] && echo "${address##*:}" || echo 25)"
        echo "from wordpress@$SITE_HOSTNAME"
        if [[ $SMTP_URL == smtps:* || $SMTP_URL == smtp+tls:* ]]; then echo "tls on"; fi
        if [[ -n $login ]]; then printf 'auth on\nuser %s\npassword %s\n' "${login%%:*}" "${login#*:}"; fi
    } >/etc/msmtprc
    chown root:www-data /etc/msmtprc
    chmod 640 /etc/msmtprc
    echo 'sendmail_path = "/usr/bin/msmtp -t"' >"/etc/php/$(php_version)/fpm/conf.d/90-mail.ini"
    systemctl reload "php$(php_version)-fpm"
}

phase_firewall() {
    {
        echo 'flush ruleset'
        echo 'table inet filter { chain input { type filter hook input priority 0; policy drop;'
        echo 'ct state established,related accept; iif lo accept; meta l4proto { icmp, ipv6-icmp } accept;'
        for proxy in ${PROXY_IPS:-}; do echo "ip saddr $proxy tcp dport 80 accept;"; done
        echo '} }'
    } >/etc/nftables.conf
    systemctl enable -q nftables
    systemctl restart nftables
    systemctl disable -q --now ssh.socket ssh.service 2>/dev/null || true # nothing here needs sshd, and not every image has one
}

# An open installer is taken over by the first who finds it, so the installation is finished here.
phase_installation() {
    local draft
    draft=$(mktemp --suffix .php)
    cat >"$draft" <<-'END'
	<?php
	define('WP_INSTALLING', true);
	$_SERVER += ['HTTP_HOST' => $argv[2], 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'HTTP_X_FORWARDED_PROTO' => 'https'];
	function wp_mail() { return true; }
	require $argv[1] . '/wp-load.php';
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	if (!is_blog_installed()) {
	    wp_install($argv[2], $argv[3], $argv[3], false, '', wp_generate_password(32));
	}
	END
    chmod 644 "$draft"
    cd "$ROOT"
    setpriv --reuid www-data --regid www-data --clear-groups php "$draft" "$ROOT" "$SITE_HOSTNAME" "$ADMIN_EMAIL"
    rm -f "$draft"
}

phase_verification() {
    local answer
    answer=$(curl -sS --max-time 30 -o /dev/null -w '%{http_code} %{redirect_url}' -H "Host: $SITE_HOSTNAME" \
        -H 'X-Forwarded-Proto: https' http://127.0.0.1/)
    [[ $answer == '200 ' ]] || { echo "front page: $answer" >&2; return 1; }
}

# In braces, so that a script that was cut off in this very line is not run either.
{ main "$@" </dev/null; }
