#!/bin/bash
# What the image of MariaDB does with its variables (MariaDB/mariadb-docker 1b6429b, 11.8/docker-entrypoint.sh): a database and its
# user at the first start, which nobody reaches by network meanwhile; root has a password that nobody knows.
set -euo pipefail
if [ ! -e /var/lib/mysql/mysql ]; then
    chown mysql: /var/lib/mysql
    mariadb-install-db --user=mysql --skip-test-db >/dev/null
    mariadbd --user=mysql --skip-networking &
    until mariadb -e 'SELECT 1' >/dev/null 2>&1; do sleep 0.2; done
    mariadb <<-END
	CREATE DATABASE \`$MARIADB_DATABASE\`;
	CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$(cat "$MARIADB_PASSWORD_FILE")';
	GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
	ALTER USER root@localhost IDENTIFIED BY '$(head -c 24 /dev/urandom | base64)';
	END
    kill %1
    wait %1
fi
exec mariadbd --user=mysql "$@"
