# shellcheck shell=bash
# What dev-engine, dev-cluster and dev-images share besides common.sh.
# shellcheck source=scripts/lib/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# as_root ARGUMENTS...: runs the calling script again by sudo where the user is not root.
as_root() {
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null || die "needs root (no sudo here): run it as root"
	exec sudo --preserve-env="$(compgen -e | grep -E '^(BERTH_DEV_|DOCKER_|GO)' | paste -sd, -),PATH" -- "$0" "$@"
}

# has_sys_resource: whether this process may use CAP_SYS_RESOURCE (bit 24 of the bounding set).
has_sys_resource() {
	local key value
	while read -r key value; do
		[ "$key" != CapBnd: ] || break
	done </proc/self/status
	((0x$value & 1 << 24))
}

# oci_runtime FILE: compiles the runtime that works without CAP_SYS_RESOURCE to FILE, unless FILE was made of this source.
oci_runtime() {
	local source hash
	source=$(dirname -- "${BASH_SOURCE[0]}")/oci-runtime.cpp
	hash=$(sha256sum <"$source")
	[ ! -x "$1" ] || [ "$(cat "$1.source" 2>/dev/null)" != "$hash" ] || return 0
	need_programs g++=g++ /usr/include/nlohmann/json.hpp=nlohmann-json3-dev /usr/include/linux/capability.h=linux-libc-dev
	say "compiling the OCI runtime for machines without CAP_SYS_RESOURCE (once)"
	mkdir -p "$(dirname -- "$1")"
	g++ -std=c++20 -O2 -static -s -o "$1.part" "$source" || die "the OCI runtime does not compile: $source"
	# Renamed into place: an engine may be running the old one.
	mv "$1.part" "$1"
	printf '%s\n' "$hash" >"$1.source"
}

# find_engine: the Docker engine of DOCKER_HOST, else dev-engine's, else the machine's own.
find_engine() {
	need_programs docker=docker.io
	[ -z "${DOCKER_HOST-}" ] || {
		docker version >/dev/null || die "no engine answers at DOCKER_HOST=$DOCKER_HOST"
		return
	}
	eval "$("$root/scripts/dev-engine" env 2>/dev/null)"
	docker version >/dev/null 2>&1 || unset DOCKER_HOST
	docker version >/dev/null || die "no Docker engine answers; start one with: $root/scripts/dev-engine up"
}
