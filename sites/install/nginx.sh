# shellcheck shell=bash disable=SC2154
# What answers, and who may ask: the firewall, then nginx. Part of wordpress.sh.

phase_web() {
    CHANGED=
    firewall | place /etc/nftables.conf
    systemctl -q enable nftables
    systemctl reload-or-restart nftables
    certify_loopback
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

# For the site's calls to itself, which verify whom they reach: prepend.php has them trust this certificate.
certify_loopback() {
    local key=/etc/nginx/loopback.key names="DNS:$PRIMARY_DOMAIN,DNS:localhost"
    if [[ $(openssl x509 -in /etc/nginx/loopback.pem -noout -ext subjectAltName 2>/dev/null | tr -d ' \n') == *"Name:$names" ]]; then
        return
    fi
    if [[ ! -s $key ]]; then (umask 077 && openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 >"$key"); fi
    openssl req -x509 -key "$key" -days 7300 -subj /CN=localhost -addext "subjectAltName = $names" -addext 'basicConstraints = critical, CA:FALSE' |
        place /etc/nginx/loopback.pem
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
	    location ~* ^/wp-admin/(?:install|setup-config)\.php$ { deny all; }
	    location ~* /(?:uploads|files|cache|upgrade)/.*\.ph(?:p\d?|tml|ar)$ { deny all; }
	    location ~* (?:\.(?:bak|log|old|orig|save|sql|swp)|~)$ { deny all; }
	    location / { try_files $uri $uri/ /index.php?$args; }
	    location = /wp-login.php { limit_req zone=login burst=10 nodelay; include /etc/nginx/site-php.conf; }
	    location ~ \.php$ { include /etc/nginx/site-php.conf; }
	}
	END
}
