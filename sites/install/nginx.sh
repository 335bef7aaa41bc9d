# shellcheck shell=bash disable=SC2154
# What answers, and who may ask: the firewall, then nginx. Part of wordpress.sh.

phase_web() {
    CHANGED=
    firewall | place /etc/nftables.conf
    switch_on nftables
    # A container that waits for a site has the same rules in force.
    if [[ -n $CHANGED || $PART != claim ]]; then systemctl reload-or-restart nftables; fi
    certify_loopback
    nginx_php | place /etc/nginx/site-php.conf
    page_cache
    denied_folders
    nginx_site | place /etc/nginx/sites-available/default
    ln -sf ../sites-available/default /etc/nginx/sites-enabled/default
    nginx -t -q
    switch_on nginx
    if [[ -n $CHANGED ]]; then systemctl reload-or-restart nginx; fi
}

# For the site's calls to itself, which verify whom they reach: prepend.php has them trust this certificate.
certify_loopback() {
    local key=/etc/nginx/loopback.key names="DNS:$PRIMARY_DOMAIN,DNS:localhost"
    if [[ $(openssl x509 -in /etc/nginx/loopback.pem -noout -ext subjectAltName 2>/dev/null | tr -d ' \n') == *"Name:$names" ]] &&
        is_valid_now /etc/nginx/loopback.pem; then
        return
    fi
    if [[ ! -s $key ]]; then (umask 077 && openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 >"$key"); fi
    openssl req -x509 -key "$key" -days 7300 -subj /CN=localhost -addext "subjectAltName = $names" -addext 'basicConstraints = critical, CA:FALSE' |
        place /etc/nginx/loopback.pem
}

# One that was made while the clock was ahead is not valid yet.
is_valid_now() {
    local begins
    begins=$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)
    openssl x509 -in "$1" -noout -checkend 0 >/dev/null && (($(date -d "$begins" +%s) <= $(date +%s)))
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
	limit_req_zone $binary_remote_addr zone=xmlrpc:1m rate=2r/s;
	limit_req_status 429;
	map $http_x_forwarded_proto:$https $site_https { default ""; ~^https: on; ~:on$ on; }
	map $site_https $site_port { on 443; default 80; }
	# What lies at the root also for a site of a network in folders: WordPress's own rules, which it gives for Apache alone.
	map $uri $site_shared { volatile; default ""; "~^/[_0-9a-zA-Z-]+(?<site_below>/(?:wp-(?:content|admin|includes)(?:/.*)?|.*\.php))$" $site_below; }
	# A file whose address names its version never changes under it; another one is asked for again the next day.
	map $args $site_kept { "~(?:^|&)(?:ver|v)=[^&]" "public, max-age=31536000, immutable"; default "public, max-age=86400"; }
	# Without what stands behind the question mark: the keys of password links do.
	log_format site '$remote_addr [$time_iso8601] $host "$request_method $uri" $status $body_bytes_sent $request_time';
	END
    nginx_compression
    cat <<-END
	server {
	    listen 80 default_server;
	    listen 127.0.0.1:443 ssl; # the site's calls to itself
	    ssl_certificate /etc/nginx/loopback.pem;
	    ssl_certificate_key /etc/nginx/loopback.key;
	    server_name _;
	    server_tokens off;
	    access_log /var/log/nginx/access.log site;
	    root $ROOT;
	    index index.php;
	    absolute_redirect off; # here it would be http
	    client_max_body_size ${UPLOAD_MB}m;
	    large_client_header_buffers 4 40k; # as the proxy has it, see sites/proxy_config.py
	    location = /healthz { access_log off; return 200 "ok\n"; }
	END
    nginx_network
    nginx_refused
    cat <<-'END'
	    location / { try_files $uri $uri/ /index.php?$args; }
	    location = /wp-login.php { limit_req zone=login burst=10 nodelay; include site-php.conf; }
	    location = /index.php { include site-php.conf; include site-pages.conf; }
	    location ~ \.php$ { include site-php.conf; }
	    location ~* \.(?:css|m?js|json|map|svg|png|jpe?g|gif|webp|avif|ico|woff2?|[ot]tf|eot|mp[34]|m4[av]|og[gv]|web[mp]|wasm|webmanifest)$ {
	        try_files $uri /index.php?$args;
	        add_header Cache-Control $site_kept;
	    }
	}
	END
}

# prepend.php says whether the site is a network in folders, so that it holds from the first request on.
nginx_network() {
    cat <<-'END'
	    set $site_part "";
	    if (-e /run/nodepoint-cache/folders) { set $site_part $site_shared; }
	    if (-e $request_filename) { set $site_part ""; }
	    if ($site_part = /wp-admin) { return 301 $uri/; }
	    if ($site_part) { rewrite ^ $site_part last; }
	END
}

# What only Apache would have refused, by `.htaccess`, and what is nobody's business. `internal` is a 404 to visitors, and lets a
# plugin hand a file out: X-Accel-Redirect, as WooCommerce sends it where SERVER_SOFTWARE says nginx. What nginx_network has led
# here counts as internal for nginx, and is a visitor's all the same.
nginx_refused() {
    cat <<-'END'
	    location ~ /\.(?!well-known/) { deny all; }
	    location ~* ^/(?:wp-config\.php|nginx\.conf|readme\.html|license\.txt)$ { deny all; }
	    location ~* ^/wp-admin/(?:install|setup-config)\.php$ { deny all; }
	    location ~* /(?:uploads|files|cache|upgrade)/.*\.ph(?:p\d?|tml|ar)$ { deny all; }
	    location ~* (?:\.(?:bak|daf|log|old|orig|save|sql|sql\.[a-z0-9.]+|swp|wpress)|~)$ { deny all; }
	    location ~* ^/wp-content/(?:updraft|ai1wm-backups|wpvividbackups|backups-dup-(?:lite|pro)|backup-db|backup-guard|backups?|backupwordpress-[^/]*|backupwp|bps-backup|envato-backups|infinitewp/backups|managewp/backups|old-cache|upgrade-temp-backup|wflogs|wishlist-backup|wpbackitup_backups|wp-rocket-config)/ { internal; if ($site_part) { return 404; } }
	    location ~* ^/wp-content/uploads/(?:sites/\d+/)?(?:backupbuddy_(?:backups|temp)|backup-guard|backwpup[^/]*|dlm_uploads|gravity_forms|mainwp/backup|mailpoet/tmp|pp-files|sucuri|wc-logs|woocommerce_uploads|wpallexport|wpallimport|wpcf7_uploads|wp-clone|wp-file-manager-pro/fm_backup|wp-migrate-db|wp-staging|wpvivid(?:backups|_staging)?)/ { internal; if ($site_part) { return 404; } }
	    location ~* ^/wp-content/uploads/(?:sites/\d+/)?edd/(?!.*\.(?:gif|jpe?g|mp3|ogg|png|svg|webp)$) { internal; if ($site_part) { return 404; } }
	    include site-denied.conf;
	    include site-offers/*.conf;
	END
    if [[ $XMLRPC == yes ]]; then
        echo '    location = /xmlrpc.php { limit_req zone=xmlrpc burst=40 nodelay; include site-php.conf; }'
    else
        echo '    location = /xmlrpc.php { deny all; }'
    fi
}

# The proxy asks for plain text and compresses for visitors; this is for whoever comes another way.
nginx_compression() {
    local types='text/css text/plain text/xml text/javascript application/javascript application/json application/ld+json
        application/manifest+json application/xml application/rss+xml application/atom+xml image/svg+xml font/ttf font/otf
        application/vnd.ms-fontobject application/wasm' type extension
    types=$(tr -s ' \n' ' ' <<<"$types")
    printf '%s\n' 'gzip_vary on;' 'gzip_proxied any;' 'gzip_comp_level 5;' 'gzip_min_length 512;' "gzip_types ${types% };"
    if [[ -e /etc/nginx/modules-enabled/50-mod-http-brotli-filter.conf ]]; then
        printf '%s\n' 'brotli on;' 'brotli_comp_level 4;' 'brotli_min_length 512;' "brotli_types ${types% };"
    fi
    # What a browser will not run or show under another type, where this nginx is too old to know it.
    for type in application/javascript:mjs application/wasm:wasm application/manifest+json:webmanifest image/avif:avif; do
        extension=${type#*:}
        if ! grep -qE "[[:space:]]${extension}[; ]" /etc/nginx/mime.types; then echo "types { ${type%:*} $extension; }"; fi
    done
}

# 64 KB for an answer's head, as at the proxy: a theme's preload headers and a shop's cookies do not fit into the usual 4 KB. A
# request may take as long as PHP lets it (request_terminate_timeout in base.sh).
nginx_php() {
    cat <<-'END'
	try_files $uri =404;
	include fastcgi_params;
	fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
	fastcgi_param HTTPS $site_https if_not_empty;
	fastcgi_param SERVER_PORT $site_port;
	# One name for all that look: what stands in a request line goes before its Host.
	fastcgi_param SERVER_NAME $host;
	fastcgi_param HTTP_HOST $host;
	fastcgi_buffer_size 64k;
	fastcgi_buffers 8 64k;
	fastcgi_busy_buffers_size 128k;
	fastcgi_read_timeout 305;
	fastcgi_send_timeout 305;
	fastcgi_pass unix:/run/php/site.sock;
	END
}
