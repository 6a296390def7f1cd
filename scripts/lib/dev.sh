# shellcheck shell=bash
# What the dev-* scripts share. Sourced; sets nothing but functions and program_name.

program_name=$(basename -- "$0")

say() { printf '%s: %s\n' "$program_name" "$*" >&2; }
die() {
	say "$*"
	exit 1
}

# need_packages PROGRAM=PACKAGE...: every program is there, else its Debian package is installed, where that may be done.
need_packages() {
	local pair missing=()
	for pair; do
		# A value with a slash in front is a file to look for, not a program.
		case ${pair%%=*} in
		/*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
		*) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
	if [ -n "${BERTH_DEV_NO_INSTALL-}" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		die "packages are missing: install them with: apt-get install ${missing[*]}"
	fi
	say "installing ${missing[*]} (BERTH_DEV_NO_INSTALL=1 forbids it)"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2 || die "apt-get update failed; install by hand: ${missing[*]}"
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || die "apt-get install ${missing[*]} failed"
}

# as_root ARGUMENTS...: runs the calling script again by sudo where the user is not root.
as_root() {
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null || die "needs root (no sudo here): run it as root"
	exec sudo --preserve-env="$(compgen -e | grep '^BERTH_DEV_' | paste -sd, -),PATH" -- "$0" "$@"
}

# has_sys_resource: whether this process may use CAP_SYS_RESOURCE (bit 24 of the bounding set).
has_sys_resource() {
	local key value
	while read -r key value; do
		[ "$key" != CapBnd: ] || break
	done </proc/self/status
	((0x$value & 1 << 24))
}

# oci_runtime FILE: compiles the runtime that works without CAP_SYS_RESOURCE to FILE, unless FILE is newer than its source.
oci_runtime() {
	local source
	source=$(dirname -- "${BASH_SOURCE[0]}")/oci-runtime.cpp
	[ ! "$1" -nt "$source" ] || return 0
	need_packages g++=g++ /usr/include/nlohmann/json.hpp=nlohmann-json3-dev /usr/include/linux/capability.h=linux-libc-dev
	say "compiling the OCI runtime for machines without CAP_SYS_RESOURCE (once)"
	mkdir -p "$(dirname -- "$1")"
	g++ -std=c++20 -O2 -static -s -o "$1.part" "$source" || die "the OCI runtime does not compile: $source"
	mv "$1.part" "$1"
}
