#!/bin/bash
# node.sh FOLDER — makes a node for containers out of fresh namespaces, says `ready` and stays until it is killed.
#
# Runs as `unshare --mount --net --cgroup --pid --uts --ipc --fork --kill-child --mount-proc`: whatever it mounts, starts or
# configures is gone with it. The containers' network ends at the bridge; there is no route out of it.
set -euo pipefail
folder=$1 here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

hostname node1
# /sys shows the network interfaces of its mounter. A cgroup tree of version 2 alone, as on Proxmox VE: systemd in the
# containers accepts no mixture.
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 node-run /run
mkdir -m 755 /run/sshd

# The map of unprivileged containers, and a root whom sshd lets in with a key where the password is locked.
echo root:100000:65536 >"$folder/subid"
sed 's/^root:[^:]*:/root:*:/' /etc/shadow >"$folder/shadow"
chmod 640 "$folder/shadow"
mount --bind "$folder/subid" /etc/subuid
mount --bind "$folder/subid" /etc/subgid
mount --bind "$folder/shadow" /etc/shadow
# bash reads it whenever sshd starts it: what root of this machine does at a login is not the node's, and may take long.
if [ -e ~/.bashrc ]; then mount --bind /dev/null ~/.bashrc; fi

# A storage with snapshots, where the machine can: its file is sparse.
mkdir -p "$folder/containers"
if truncate -s 20G "$folder/containers.img" && mkfs.btrfs -q -f "$folder/containers.img" &&
    mount -o loop,noatime "$folder/containers.img" "$folder/containers"; then
    echo snapshots
fi

ip link set lo up
ip link add vmbr1 type bridge
ip address add 10.77.0.1/24 dev vmbr1
ip link set vmbr1 up

install -d "$folder/bin"
ln -sf "$here/pct" "$folder/bin/pct"
echo ready
sleep infinity &
wait # and takes in the orphans of the containers
