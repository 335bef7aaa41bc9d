# shellcheck shell=bash disable=SC2154
# wp-config.php, the names a site goes by, cron, mail. Part of wordpress.sh.

phase_configuration() {
    rm -rf /etc/vzdump # what the archive of a golden template has kept of the container it was made of
    echo "$PRIMARY_DOMAIN" | place "$PRIMARY"
    echo "$SITE_HOSTNAME" | place /etc/wordpress-platform-domain
    # The site's calls to itself stay inside. Proxmox VE rewrites nothing but its own section of this file.
    { sed '/# nodepoint$/d' /etc/hosts && echo "127.0.0.1 $PRIMARY_DOMAIN # nodepoint"; } | place /etc/hosts
    configure_wordpress
    as_site 10 rm -f "$ROOT/wp-content/mu-plugins/nodepoint-login.php" || true # where it was before it became the platform's own
    echo "$CRON_MINUTE-59/5 * * * * www-data timeout 240 php $SHARE/cron.php >/dev/null 2>&1" | place /etc/cron.d/wordpress
    configure_mail
}

# Into a folder of the site's: this follows no link there and opens nothing, as mv does between filesystems.
renamed() { perl -e 'rename $ARGV[0], $ARGV[1] or die "$ARGV[1]: $!\n"' "$1" "$2"; }

# wp-config.php is the customer's: made where there is none, and handed over where it is still the one that was root's.
configure_wordpress() {
    local -A known=()
    if wp_config_of_old | read_secrets; then
        echo 'wp-config.php becomes the customer'\''s own'
    elif [[ -e $ROOT/wp-config.php ]]; then
        return
    fi
    (umask 077 && wp_config >"$RUN/wp-config.php")
    as_site 20 php -l <"$RUN/wp-config.php" || { complaint >&2 && return 1; }
    # The folder is his, so the file comes into it by a name alone, from a folder of root's on the same filesystem.
    install -m 640 -o www-data -g www-data "$RUN/wp-config.php" "$STATE/wp-config.php"
    rm "$RUN/wp-config.php"
    renamed "$STATE/wp-config.php" "$ROOT/wp-config.php"
}

# Prints the file if it is root's, and no link, pipe or device of somebody's.
wp_config_of_old() {
    perl -MFcntl -e '
        sysopen my $file, $ARGV[0], O_RDONLY | O_NOFOLLOW | O_NONBLOCK or exit 1;
        my @facts = stat $file;
        exit 1 unless -f _ && $facts[4] == 0 && $facts[7] < 65536;
        print while <$file>;
    ' "$ROOT/wp-config.php" 2>/dev/null
}

# Takes the salts and the password into `known`, from a text that is ours to the letter; fails for every other one.
read_secrets() {
    local line rest='' digest
    while IFS= read -r line; do
        if [[ -n $rest ]]; then
            rest+=$line$'\n'
        elif [[ $line =~ ^define\(\'([A-Z_]+)\',\ \'([0-9a-z]+)\'\)\;$ ]]; then
            known[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
        elif [[ $line == "define('DB_HOST', "* ]]; then
            rest=$line$'\n'
        elif [[ $line != '<?php' ]]; then
            return 1
        fi
    done
    digest=$(printf %s "$rest" | sha256sum | cut -c1-64)
    [[ $digest == 071553d34968128b23d9fc5ffb9c85f42adf5c480d848681c97fc202aaab41b1 ||
        $digest == cc434a77b1083afeb381e7ab1ddb3452f1a6e12160ed5df7e9dd607b7a28f880 ]]
}

# In the form of WordPress's sample, which plugins expect where they write into it.
wp_config() {
    local name
    cat <<-END
	<?php
	// This file is yours. Addresses, https, updates and cron are set by the platform, whatever is written here.

	define( 'DB_NAME', '$DATABASE' );
	define( 'DB_USER', '$DATABASE' );
	define( 'DB_PASSWORD', '$(secret database)' );
	define( 'DB_HOST', 'localhost:/run/mysqld/mysqld.sock' );
	define( 'DB_CHARSET', 'utf8mb4' );
	define( 'DB_COLLATE', '' );

	END
    for name in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
        echo "define( '$name', '${known[$name]:-$(openssl rand -hex 32)}' );"
    done
    cat <<-'END'

	$table_prefix = 'wp_';

	define( 'WP_DEBUG', false );

	/* That's all, stop editing! Happy publishing. */

	if ( ! defined( 'ABSPATH' ) ) {
	    define( 'ABSPATH', __DIR__ . '/' );
	}
	require_once ABSPATH . 'wp-settings.php';
	END
}

configure_mail() {
    local version name
    version=$(php_version)
    CHANGED=
    if [[ -n $SMTP_URL ]]; then
        (umask 077 && msmtp_options >"$RUN/msmtprc")
        if ! cmp -s "$RUN/msmtprc" /etc/msmtprc; then
            install -m 640 -g www-data "$RUN/msmtprc" /etc/msmtprc.new
            mv /etc/msmtprc.new /etc/msmtprc
        fi
        rm "$RUN/msmtprc"
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
