# shellcheck shell=bash disable=SC2154
# What all sites have in common; a golden template holds it already. Part of wordpress.sh.

phase_packages() {
    local wanted=(nginx-light mariadb-server php-fpm php-mysql php-curl php-gd php-intl php-mbstring php-xml php-zip
        php-bcmath php-imagick php-soap curl ca-certificates cron logrotate unattended-upgrades nftables openssl msmtp
        redis-server php-redis libnginx-mod-http-brotli-filter)
    await_system
    if all_installed "${wanted[@]}"; then return; fi
    finish_interrupted
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do # the network comes up later than the shell
        if apt_get update -o APT::Update::Error-Mode=any; then break; fi
        sleep "$try"
    done
    apt_get install -y --no-install-recommends "${wanted[@]}"
}

# What an earlier run left half done when it was killed. dpkg waits for nobody: it ends with 2 while another has its lock.
finish_interrupted() {
    local try code=2
    for ((try = 0; try < 60 && code == 2; try++)); do
        code=0
        dpkg --configure -a || { code=$? && sleep 5; }
    done
}

# A container takes commands before its systemd does. It may stay `degraded` for ever, and `starting` for long.
await_system() {
    local try
    for ((try = 0; try < 300; try++)); do
        case $(systemctl is-system-running 2>/dev/null || true) in
        starting | running | degraded) return ;;
        esac
        sleep 0.2
    done
    echo 'systemd does not come up' >&2
    return 1
}

all_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed) == "$#" ]]
}

apt_get() {
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

phase_wordpress() {
    if [[ -e $ROOT/wp-load.php ]]; then return; fi
    rm -rf /var/www/new.*
    local new archive published
    new=$(mktemp -d /var/www/new.XXXXXX) archive=$new/archive
    curl -fsSL --retry 3 --max-time 300 -o "$archive" "$WORDPRESS_URL"
    # Whoever publishes no checksum answers so; every other answer is a failure.
    published=$(curl -sSL --retry 3 --max-time 30 -o "$archive.sha1" -w '%{http_code}' "$WORDPRESS_URL.sha1")
    case $published in
    200) [[ $(sha1sum <"$archive" | cut -c1-40) == "$(cut -c1-40 "$archive.sha1")" ]] ;;
    404 | 410) ;;
    *) echo "checksum: HTTP $published" >&2 && return 1 ;;
    esac
    mkdir "$new/site"
    tar -xzf "$archive" -C "$new/site" --strip-components=1 --no-same-owner
    [[ -e $new/site/wp-load.php ]]
    chown -R www-data:www-data "$new/site"
    chmod -R u=rwX,go=rX "$new/site"
    mv -T "$new/site" "$ROOT"
    rm -rf "$new"
}

phase_system() {
    CHANGED=
    echo 'LANG=C.UTF-8' | place /etc/default/locale
    install -d /etc/systemd/journald.conf.d
    printf '[Journal]\nSystemMaxUse=100M\n' | place /etc/systemd/journald.conf.d/nodepoint.conf
    if [[ -n $CHANGED ]]; then systemctl restart systemd-journald; fi
    place /etc/apt/apt.conf.d/52nodepoint <<-'END'
	APT::Periodic::Update-Package-Lists "1";
	APT::Periodic::Unattended-Upgrade "1";
	APT::Periodic::AutocleanInterval "7";
	Unattended-Upgrade::Automatic-Reboot "false";
	Dpkg::Options:: "--force-confdef";
	Dpkg::Options:: "--force-confold";
	END
    systemctl -q mask --now ssh.socket ssh.service # nothing here needs sshd, and not every image has one
    tune_database
    tune_objects
    place_platform # before PHP is told to begin with it
    leave_updates
    tune_php
    tuned_for >"$STATE/tuned"
    if [[ ! -e $PRIMARY ]]; then # nobody is shown anything before the site's own part is done
        echo 'server { listen 80 default_server; location / { return 503; } }' | place /etc/nginx/sites-available/default
        switch_on nginx
        systemctl reload-or-restart nginx
    fi
}

# The system's security updates are put in by us, behind a snapshot (update.sh); by the system itself once nobody has come by for
# three days, or the clock says that somebody will.
leave_updates() {
    CHANGED=
    unwatched_sh | place "$SHARE/unwatched"
    install -d /etc/systemd/system/apt-daily-upgrade.service.d
    printf '[Service]\nExecCondition=/bin/sh %s\n' "$SHARE/unwatched" | place /etc/systemd/system/apt-daily-upgrade.service.d/nodepoint.conf
    if [[ -n $CHANGED ]]; then systemctl daemon-reload; fi
}

unwatched_sh() {
    cat <<-'END'
	#!/bin/sh
	# Ends with 0 where nobody has come by for three days, as is_watched() in prepend.php has it.
	at=$(stat -c %Y /etc/nodepoint/watched 2>/dev/null) || exit 0
	age=$(($(date +%s) - at))
	[ "$age" -lt 0 ] || [ "$age" -ge 259200 ]
	END
}

# With every boot. Said anew it takes as long as all else in here, where a service has a script of the old kind beside it.
switch_on() { systemctl -q is-enabled "$1" || systemctl -q enable "$1"; }

tuned_for() { echo "$MEMORY $UPLOAD_MB $MEMORY_LIMIT_MB"; }

# MEMORY is the plan's, in MB: without lxcfs a container sees that of its node.
php_children() {
    local children=$((MEMORY < 8192 ? MEMORY / 170 : MEMORY * 50 / 8192))
    echo $((children < 2 ? 2 : children))
}

tune_database() {
    local file=/etc/mysql/mariadb.conf.d/90-nodepoint.cnf pool=$((MEMORY / 4)) connections ours=''
    connections=$(($(php_children) + 20))
    if [[ -e $file ]]; then ours=yes; fi
    CHANGED=
    database_options "$pool" "$connections" | place "$file"
    switch_on mariadb
    systemctl start mariadb
    if [[ -n $CHANGED ]]; then
        if [[ -z $ours ]] || ! resize_database "$((pool * 1024 * 1024))" "$connections"; then systemctl restart mariadb; fi
    fi
}

database_options() {
    cat <<-END
	[mysqld]
	bind-address = 127.0.0.1
	skip-name-resolve
	skip-log-bin
	performance_schema = off
	innodb_flush_log_at_trx_commit = 1
	innodb_flush_method = O_DIRECT
	innodb_buffer_pool_size = $1M
	max_connections = $2
	END
    # How far it can grow without a restart: as far as it was at the start, unless told otherwise. Older ones are not to be told.
    if [[ $(mariadbd --no-defaults --verbose --help 2>/dev/null) == *innodb-buffer-pool-size-max* ]]; then
        echo "innodb_buffer_pool_size_max = $(($1 > 2048 ? $1 : 2048))M"
    fi
}

# While it runs; it fails where the server cannot, which says so in a warning only.
resize_database() {
    mariadb -e "SET GLOBAL innodb_buffer_pool_size = $1; SET GLOBAL max_connections = $2" &&
        [[ $(mariadb -BN -e 'SELECT @@innodb_buffer_pool_size, @@max_connections') == "$1"$'\t'"$2" ]]
}

tune_php() {
    local version
    version=$(php_version)
    CHANGED=
    php_options | place "/etc/php/$version/fpm/conf.d/90-nodepoint.ini"
    php_pool | place "/etc/php/$version/fpm/pool.d/www.conf"
    install -d "/etc/systemd/system/php$version-fpm.service.d"
    # The kernel ends the biggest process when memory is full; that should be PHP, not the database.
    printf '[Service]\nOOMScoreAdjust=300\n' | place "/etc/systemd/system/php$version-fpm.service.d/nodepoint.conf"
    if [[ -n $CHANGED ]]; then
        "php-fpm$version" -t
        systemctl daemon-reload
        switch_on "php$version-fpm"
        systemctl restart "php$version-fpm"
    fi
}

# Of the master process, which makes opcache's memory: a pool's own values come too late for that.
php_options() {
    cat <<-END
	expose_php = Off
	memory_limit = $((MEMORY_LIMIT_MB ? MEMORY_LIMIT_MB : MEMORY < 1024 ? 128 : MEMORY < 8192 ? 256 : 512))M
	upload_max_filesize = ${UPLOAD_MB}M
	post_max_size = ${UPLOAD_MB}M
	upload_tmp_dir = /var/tmp
	max_execution_time = 120
	max_input_vars = 5000
	opcache.memory_consumption = $((MEMORY < 2048 ? 64 : MEMORY < 4096 ? 128 : 256))
	opcache.interned_strings_buffer = 16
	opcache.max_accelerated_files = 20000
	opcache.max_wasted_percentage = 10
	opcache.revalidate_freq = 2
	opcache.jit = disable
	opcache.jit_buffer_size = 0
	realpath_cache_size = 4M
	END
}

php_pool() {
    cat <<-END
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
	END
}
