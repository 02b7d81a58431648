#!/bin/sh
# SPDX-License-Identifier: MIT
# The Podman service of tests/podman/run: service.sh FOLDER UID
#
# Runs as the first process of namespaces of its own (mounts, network, processes), as
# root, and serves FOLDER/shared/podman.sock as UID. What Podman shares between all that
# it does on a machine (locks, state, caches, networks) lies on mounts that nobody else
# sees, and so do its images and containers.
set -eu
work=$1
uid=$2

# Give a folder contents of the service's own.
private() {
	[ ! -d "$1" ] || mount -t tmpfs -o "mode=$2" tmpfs "$1"
}

# Apart from the machine's mounts, and shared with those of the containers.
mount --make-rprivate /
mount --make-rshared /
private /dev/shm 1777
private /run 755
private /var/lib/containers 755
mkdir -p "$work/private" "$work/shared"
mount -t tmpfs -o mode=755 tmpfs "$work/private"
cd "$work/private"
mkdir -p storage run state net runtime home tmp
ip link set lo up

# The default limits are more than a machine that is itself a container may give.
cat >containers.conf <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
END
cat >storage.conf <<END
[storage]
driver = "overlay"
graphroot = "$PWD/storage"
runroot = "$PWD/run"
END

if [ "$uid" != 0 ]; then
	# A user with subordinate ids, known in here only.
	cp /etc/passwd /etc/group /etc/subuid /etc/subgid .
	echo "tester:x:$uid:$uid::$PWD/home:/bin/sh" >>passwd
	echo "tester:x:$uid:" >>group
	echo "tester:1000000:65536" >>subuid
	echo "tester:1000000:65536" >>subgid
	for file in passwd group subuid subgid; do
		mount --bind "$file" "/etc/$file"
	done
	# For slirp4netns; anybody may open it on most machines, not on all.
	mknod -m 666 tun c 10 200
	mount --bind tun /dev/net/tun
fi
chown "$uid:$uid" . storage run state net runtime home tmp "$work/shared"

# Not exec: what Podman leaves to the first process has to be reaped by it.
setpriv --reuid="$uid" --regid="$uid" --clear-groups -- \
	env HOME="$PWD/home" XDG_RUNTIME_DIR="$PWD/runtime" TMPDIR="$PWD/tmp" \
	CONTAINERS_CONF="$PWD/containers.conf" \
	CONTAINERS_STORAGE_CONF="$PWD/storage.conf" \
	podman --tmpdir "$PWD/state" --network-config-dir "$PWD/net" \
	system service --time 0 "unix://$work/shared/podman.sock" &
podman=$!
trap 'kill "$podman"' TERM
# The first wait ends with the signal.
wait "$podman" || wait "$podman"
