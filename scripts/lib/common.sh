# Shared by the scripts beside it: sourced, never run.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
export root

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# packages_for PURPOSE...: the packages that scripts/lib/packages lists.
packages_for() {
	local purpose
	for purpose; do
		sed -n "s/^$purpose //p" "$root/scripts/lib/packages" | tr ' ' '\n'
	done
}

# need PURPOSE...: installs what is missing, or says what to install.
need() {
	local missing=() package
	for package in $(packages_for "$@"); do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
	install_packages "${missing[@]}"
}

# need_programs PROGRAM=PACKAGE...: the same for programs (with a slash: files) that may come from elsewhere too; a
# machine with Docker's own packages has dockerd without docker.io.
need_programs() {
	local pair missing=()
	for pair; do
		case ${pair%%=*} in
		/*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
		*) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	install_packages "${missing[@]}"
}

install_packages() {
	[ $# -gt 0 ] || return 0
	local packages
	mapfile -t packages < <(printf '%s\n' "$@" | sort -u)
	set -- "${packages[@]}"
	[ -z "${BERTH_DEV_NO_INSTALL-}" ] || die "these packages are missing, and BERTH_DEV_NO_INSTALL forbids to install them: $*"
	local sudo=()
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "these packages are missing, and neither root nor sudo is at hand: $*"
		sudo=(sudo)
	fi
	say "installing $*"
	"${sudo[@]}" apt-get update -qq >&2 || die "apt-get update failed: is a package mirror configured?"
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
		die "apt-get could not install: $*"
}

# build PRESET [TARGET...]: configures and builds; programs land in build/PRESET/bin.
build() {
	local preset=$1 log
	log=$(mktemp)
	shift
	cmake --preset "$preset" -S "$root" >"$log" 2>&1 ||
		{ cat "$log" >&2; rm -f "$log"; die "cmake could not configure the preset $preset"; }
	rm -f "$log"
	cmake --build "$root/build/$preset" ${1:+--target "$@"} >&2 || die "the preset $preset does not build"
}

# engine_answers: does a Docker engine answer at DOCKER_HOST or the default socket?
engine_answers() {
	command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# cluster_answers: does the API server that KUBECONFIG names first answer, with whatever status? A certificate of another
# authority is no answer: where a cluster is gone, a proxy may speak in its place.
cluster_answers() {
	local config=${KUBECONFIG%%:*} server authority
	server=$(sed -n 's/^[[:space:]-]*server:[[:space:]]*//p' "$config" 2>/dev/null | head -n 1)
	authority=$(sed -n 's/^[[:space:]-]*certificate-authority-data:[[:space:]]*//p' "$config" 2>/dev/null | head -n 1)
	[ -n "$server" ] && if [ -n "$authority" ]; then
		curl --silent --cacert <(base64 --decode <<<"$authority") --max-time 10 --output /dev/null "$server/readyz"
	else
		curl --silent --insecure --max-time 10 --output /dev/null "$server/readyz"
	fi
}
