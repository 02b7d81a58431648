# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh - what the commands in samples/ and tests/ share. To be sourced by bash.
#
# install_packages FILE…    installs what is missing of the packages in FILEs
# start_engine COMMAND…     starts a Docker engine if none answers
# stop_engine               stops the engine that start_engine started, if it did
# unmount_below FOLDER      unmounts what is mounted in there
# make_sample_image         makes buildr-sample:latest if it is not there
# configure FOLDER OPTION…  sets a build folder up if it is not
#
# COMMAND is the caller's own. A caller of start_engine calls stop_engine in a trap.

# Print what stands on the screen of the person who started this.
say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "$0: $*"
	exit 1
}

# Run a command as root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this takes root: run it as root, or install sudo"
	fi
}

# Whether the package $1 is there. What docker.io gives may come from elsewhere.
has_package() {
	case $1 in
	docker.io)
		command -v docker >/dev/null &&
			{ command -v dockerd >/dev/null || engine_answers; }
		;;
	*)
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
		;;
	esac
}

engine_is_new=

# Install the packages named as arguments that are not there.
install_missing() {
	local missing=() package

	for package; do
		has_package "$package" && continue
		missing+=("$package")
		[ "$package" != docker.io ] || engine_is_new=yes
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "Installing ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
		say "apt-get update did not work; going on with the lists at hand"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends -o DPkg::Lock::Timeout=300 \
		"${missing[@]}" </dev/null >&2 || die "cannot install ${missing[*]}"
}

# Install what is missing of the packages that FILEs list, one a line.
install_packages() {
	local names

	mapfile -t names < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$@")
	install_missing "${names[@]}"
}

engine_pid=
engine_folder=

engine_answers() {
	docker version >/dev/null 2>&1
}

# Wait up to a minute for the engine whose process is $engine_pid.
await_engine() {
	local tries

	for ((tries = 0; tries < 300; tries++)); do
		engine_answers && return 0
		[ -d "/proc/$engine_pid" ] || return 1
		sleep 0.2
	done
	return 1
}

# Where an engine answers to root but not to us, start this command again with the
# group that may speak to it.
join_docker_group() {
	[ "$(id -u)" != 0 ] && [ -S /var/run/docker.sock ] || return 0
	as_root docker version >/dev/null 2>&1 || return 0
	[ -z "${SAMPLES_JOINED:-}" ] || die "the engine does not answer to $(id -un)"
	exec sudo -u "$(id -un)" -g "$(stat -c %G /var/run/docker.sock)" \
		env SAMPLES_JOINED=yes "$@"
}

# Start an engine if none answers. It keeps its images in the usual place, so that
# the next one finds them; all else is in a folder of its own, so that nothing that
# an engine which was killed has left stands in its way.
start_engine() {
	if engine_answers; then
		[ -z "$engine_is_new" ] ||
			say "Debian's docker.io runs an engine from now on;" \
				"'systemctl stop docker' stops it."
		return 0
	fi
	join_docker_group "$@"
	engine_folder=$(mktemp -d "${TMPDIR:-/tmp}/engine-XXXXXX")
	as_root setsid dockerd --group "$(id -gn)" \
		--exec-root "$engine_folder/exec" --pidfile "$engine_folder/pid" \
		</dev/null >"$engine_folder/log" 2>&1 &
	engine_pid=$!
	if ! await_engine; then
		tail -n 20 "$engine_folder/log" >&2
		stop_engine
		die "cannot start a Docker engine"
	fi
	say "Started a Docker engine for this run; it is stopped at the end."
}

# Unmount what is mounted below the folder $1. An engine leaves the network namespace of the
# host that it had mounted for containers in the host's network.
unmount_below() {
	local mount

	while read -r _ mount _; do
		# A blank is \040 there.
		printf -v mount %b "$mount"
		[[ $mount != "$1"/* ]] || as_root umount --lazy "$mount"
	done </proc/mounts
}

# Stop the engine that start_engine started, and wait for its end.
stop_engine() {
	local pid tries

	[ -n "$engine_pid" ] || return 0
	pid=$(cat "$engine_folder/pid" 2>/dev/null || echo "$engine_pid")
	as_root kill "$pid" 2>/dev/null || true
	for ((tries = 0; tries < 150; tries++)); do
		[ -d "/proc/$pid" ] || break
		sleep 0.2
	done
	[ ! -d "/proc/$pid" ] || as_root kill -9 "$pid" || true
	wait "$engine_pid" 2>/dev/null || true
	engine_pid=
	unmount_below "$engine_folder"
	as_root rm -rf "$engine_folder"
}

# Fill the folder $1 with a small Linux: busybox and the users root and builder.
make_sample_root() {
	local applet busybox

	busybox=$(command -v busybox) || die "there is no busybox"
	mkdir -p "$1"/{bin,etc,root,home/builder,tmp}
	chmod 1777 "$1/tmp"
	chmod 777 "$1/home/builder"
	cp "$busybox" "$1/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh \
		builder:x:1000:1000:builder:/home/builder:/bin/sh >"$1/etc/passwd"
	printf '%s\n' root:x:0: builder:x:1000: >"$1/etc/group"
}

# Make buildr-sample:latest from Debian's busybox-static if it is not there.
make_sample_image() {
	local folder

	docker image inspect buildr-sample:latest >/dev/null 2>&1 && return 0
	install_missing busybox-static
	folder=$(mktemp -d "${TMPDIR:-/tmp}/image-XXXXXX")
	make_sample_root "$folder"
	tar -C "$folder" --owner=0 --group=0 -c . |
		docker import - buildr-sample:latest >/dev/null ||
		die "cannot make the image buildr-sample"
	rm -rf "$folder"
	say "Made the image buildr-sample:latest"
}

# Set up the build folder $1 with the options that follow, where it is not there or
# belongs to a tree elsewhere.
configure() {
	local folder=$1

	shift
	if [ -f "$folder/build.ninja" ] &&
		grep -qF "\"source\": \"$PWD\"" "$folder/meson-info/meson-info.json"; then
		return 0
	fi
	rm -rf "$folder"
	meson setup "$folder" "$@"
}
