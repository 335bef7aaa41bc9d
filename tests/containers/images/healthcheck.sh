#!/bin/sh
# Whether the server takes connections by network, whoever asks.
exec mariadb-admin --host=127.0.0.1 --protocol=tcp --silent ping
