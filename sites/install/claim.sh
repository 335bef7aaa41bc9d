# shellcheck shell=bash disable=SC2154
# A container that waited becomes a site's own: nothing that it has is another's, or was there while it waited. Part of wordpress.sh.

is_spare() { [[ -e $STATE/spare || -e $STATE/claimed ]]; }

# The plan may be another than that for which it was made, and so may the options. Where they are not, nothing is told anew.
phase_tuning() {
    if [[ -e $STATE/spare && $(<"$STATE/tuned") == "$(tuned_for)" ]]; then return; fi
    tune_database
    tune_objects
    tune_php
}

phase_renewal() {
    if [[ ! -e $STATE/spare ]]; then return; fi # done by an earlier run
    # Nobody waits for these, which take a second: no sshd runs (base.sh).
    if [[ -e /etc/ssh/sshd_config ]]; then setsid ssh-keygen -A </dev/null >/dev/null 2>&1 9>&- & fi
    own_host
    own_tables
    mv "$STATE/spare" "$STATE/claimed"
}

# Proxmox VE writes the name that it knows at the next start; until then the system has to hear it from here.
own_host() {
    local before name=${SITE_HOSTNAME%%.*} machine
    before=$(cat /proc/sys/kernel/hostname)
    if [[ $before != "$name" ]]; then
        sed "s/\b${before//./\\.}\b/$name/g" /etc/hosts | place /etc/hosts
        echo "$name" | place /etc/hostname
        hostname "$name"
    fi
    machine=$(cat /etc/machine-id)
    openssl rand -hex 16 | place /etc/machine-id
    chmod 444 /etc/machine-id
    if [[ -f /var/lib/dbus/machine-id && ! -L /var/lib/dbus/machine-id ]]; then rm -f /var/lib/dbus/machine-id; fi
    if [[ -n $machine ]]; then rm -rf "/var/log/journal/$machine"; fi
    systemctl --no-block restart systemd-journald.service
}

# Nobody has been in these tables; names and dates are those of this hour. What is not plain goes as hexadecimal digits.
own_tables() {
    local email login=${SITE_HOSTNAME%%.*}
    email="CONVERT(UNHEX('$(printf %s "$ADMIN_EMAIL" | od -An -v -tx1 | tr -d ' \n')') USING utf8mb4)"
    site_sql <<-END
	UPDATE wp_users SET user_login = '$login', user_nicename = '$login', display_name = '$login', user_email = $email,
	    user_url = 'https://$PRIMARY_DOMAIN', user_registered = UTC_TIMESTAMP(), user_pass = '!$(openssl rand -hex 32)' WHERE user_email LIKE '%@$SPARE_NAME';
	UPDATE wp_usermeta SET meta_value = '$login' WHERE meta_key = 'nickname' AND meta_value = '${SPARE_NAME%%.*}';
	UPDATE wp_options SET option_value = $email WHERE option_name = 'admin_email' AND option_value LIKE '%@$SPARE_NAME';
	UPDATE wp_options SET option_value = '$PRIMARY_DOMAIN' WHERE option_name = 'blogname' AND option_value = '$SPARE_NAME';
	UPDATE wp_posts SET post_content = REPLACE(post_content, '$SPARE_NAME', '$PRIMARY_DOMAIN'), guid = REPLACE(guid, '$SPARE_NAME', '$PRIMARY_DOMAIN'),
	    post_date = UTC_TIMESTAMP(), post_date_gmt = UTC_TIMESTAMP(), post_modified = UTC_TIMESTAMP(), post_modified_gmt = UTC_TIMESTAMP();
	UPDATE wp_comments SET comment_date = UTC_TIMESTAMP(), comment_date_gmt = UTC_TIMESTAMP();
	END
}
