# shellcheck shell=bash disable=SC2154
# Redis for WordPress's object cache; its part in PHP is objects.php. Part of wordpress.sh.

# Over a socket for PHP alone. Nothing of it is on the disk: it holds what is in the database, and is lost without harm.
tune_objects() {
    CHANGED=
    redis_options | place /etc/redis/redis.conf
    install -d /etc/systemd/system/redis-server.service.d
    # Where memory is full it goes with PHP, before the database.
    printf '[Service]\nGroup=www-data\nOOMScoreAdjust=300\n' | place /etc/systemd/system/redis-server.service.d/nodepoint.conf
    if [[ -n $CHANGED ]]; then
        systemctl daemon-reload
        switch_on redis-server
        systemctl restart redis-server
    fi
}

objects_mb() { echo $((MEMORY < 2048 ? 16 : MEMORY / 32)); }

# The site's plugins may use it, too, but not reconfigure it: its size is the plan's.
redis_options() {
    cat <<-END
	port 0
	unixsocket /run/redis/site.sock
	unixsocketperm 770
	maxmemory $(objects_mb)mb
	maxmemory-policy allkeys-lru
	maxclients $(($(php_children) + 40))
	save ""
	appendonly no
	dir /run/redis
	lazyfree-lazy-user-flush yes
	user default on nopass ~* &* +@all -@admin
	END
}
