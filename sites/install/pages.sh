# shellcheck shell=bash disable=SC2154
# nginx's page cache, and what PHP needs for it and for the object cache. Part of wordpress.sh; its part in PHP is pages.php.

# On a tmpfs: a full disk would end answers in their middle, and neither a snapshot nor a reboot brings a page back. The folder
# lies in one of root's, since nginx's master gives it to www-data by name.
page_cache() {
    local pages=''
    if [[ $PAGE_CACHE == yes ]]; then pages='d /run/nodepoint-pages 0700 www-data www-data'; fi
    printf '%s\n' 'd /run/nodepoint-cache 0700 www-data www-data' "$pages" | place /etc/tmpfiles.d/nodepoint.conf
    systemd-tmpfiles --create /etc/tmpfiles.d/nodepoint.conf
    if [[ $PAGE_CACHE == yes ]]; then
        pages_asked_for | place /etc/nginx/conf.d/nodepoint-pages.conf
        pages_kept | place /etc/nginx/site-pages.conf
    else
        rm -f /etc/nginx/conf.d/nodepoint-pages.conf
        echo '# off' | place /etc/nginx/site-pages.conf
        rm -rf /run/nodepoint-pages
    fi
}

page_cache_mb() { echo $((MEMORY < 1024 ? 16 : MEMORY / 64)); }

# Which requests ask for what everybody gets, as $site_page: the address that PHP is asked for too, so that nothing of one visitor
# is in a page for all. Empty for all others.
pages_asked_for() {
    local tracking='utm_[a-z_]+|gclid|gbraid|wbraid|gad_source|gad_campaignid|fbclid|msclkid|ttclid|twclid|li_fat_id|yclid|dclid|igshid|mc_cid|mc_eid|_ga|_gl|mtm_[a-z]+|pk_[a-z]+|srsltid'
    # Of statistics and of consent, both for scripts of the page. With any other one it may be somebody's own page.
    local harmless='_ga[A-Za-z0-9_-]*|_gid|_gat[A-Za-z0-9_-]*|_gcl_[a-z]+|_fb[pc]|_pk_[A-Za-z0-9._-]+|_hj[A-Za-z0-9_-]+|_cl[cs]k|_uet[a-z]+|_tt_[a-z_]+|_ttp|_pin_unauth|sbjs_[a-z_]+|tk_[a-z]+|__utm[a-z]|__cf[a-z_]+|cf_clearance|CookieConsent|cookieyes-consent|cookielawinfo-[a-z-]+|viewed_cookie_policy|cmplz_[a-z_-]+|borlabs-cookie|real_cookie_banner[A-Za-z0-9._-]*|moove_gdpr_popup|OptanonConsent|OptanonAlertBoxClosed|euconsent-v2|wordpress_test_cookie|wp-settings-(?:time-)?[0-9]+'
    cat <<-END
	fastcgi_cache_path /run/nodepoint-pages levels=1:2 keys_zone=pages:4m inactive=1h max_size=$(page_cache_mb)m use_temp_path=off;
	# Where tracking is all that stands behind the question mark, of an address that WordPress does not lead elsewhere.
	map \$request_uri \$site_address {
	    default "";
	    "~^(?<site_path>/[^?]*)\$" \$site_path;
	    "~^(?<site_path>/[^?]*/)[?](?:(?:$tracking)=[^&]*(?:&|\$))+\$" \$site_path;
	}
	map \$http_cookie \$site_cookies { "" harmless; default other; "~^(?:(?:$harmless)=[^;]*(?:; ?|\$))*+\$" harmless; }
	END
    cat <<-'END'
	# Ask for a part of a page, or in somebody's name, or say more than an address.
	map "$http_authorization$http_x_requested_with$http_x_pjax$http_hx_request$http_turbo_frame$http_x_nodepoint_look$content_length$http_transfer_encoding" $site_special { "" no; default yes; }
	map "$request_method $site_cookies $site_special" $site_page { default ""; "~^(?:GET|HEAD) harmless no$" $site_address; }
	map $site_page $site_uncached { "" 1; default ""; }
	map $site_page $site_cached { "" ""; default 1; }
	map $site_page $site_request_uri { "" $request_uri; default $site_page; }
	map $site_page $site_query { "" $args; default ""; }
	# nginx keeps these from PHP wherever it has a cache, whether it is asked or not.
	map $site_page $site_range { "" $http_range; default ""; }
	map $site_page $site_if_range { "" $http_if_range; default ""; }
	map $site_page $site_if_modified { "" $http_if_modified_since; default ""; }
	map $site_page $site_if_none { "" $http_if_none_match; default ""; }
	map $site_page $site_method { "" $request_method; default GET; }
	# As wp_is_mobile() has it: themes make other pages for these.
	map "$http_sec_ch_ua_mobile $http_user_agent" $site_device { default ""; "~^[?]1 " small; "~^ .*(?:Mobile|Android|Silk/|Kindle|BlackBerry|Opera M(?:ini|obi))" small; }
	END
}

# Kept is only what PHP says is for everybody (X-Accel-Expires, pages.php): other heads count for browsers.
pages_kept() {
    cat <<-'END'
	fastcgi_cache pages;
	fastcgi_cache_key $site_https|$host|$site_device|$site_page;
	fastcgi_cache_bypass $site_uncached;
	fastcgi_no_cache $site_uncached;
	fastcgi_ignore_headers Cache-Control Expires;
	fastcgi_cache_use_stale updating;
	fastcgi_cache_background_update on;
	fastcgi_param NODEPOINT_PAGES $site_cached if_not_empty;
	fastcgi_param REQUEST_URI $site_request_uri;
	fastcgi_param QUERY_STRING $site_query;
	fastcgi_param REQUEST_METHOD $site_method;
	fastcgi_param HTTP_RANGE $site_range if_not_empty;
	fastcgi_param HTTP_IF_RANGE $site_if_range if_not_empty;
	fastcgi_param HTTP_IF_MODIFIED_SINCE $site_if_modified if_not_empty;
	fastcgi_param HTTP_IF_NONE_MATCH $site_if_none if_not_empty;
	add_header X-Cache-Enabled true; # Site Health looks for it
	add_header X-Page-Cache $upstream_cache_status;
	END
}
