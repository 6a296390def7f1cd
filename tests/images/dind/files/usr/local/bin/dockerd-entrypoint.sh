#!/bin/bash
# Starts dockerd with the listeners that clients of docker:dind expect. A first argument `dockerd` brings its own; any
# other command is run as the client image runs it.
set -euo pipefail

# signed FILE-BASE SUBJECT EXTENSION...: a key and a certificate of the CA.
signed() {
	local file=$1 subject=$2
	shift 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$subject" -keyout "$file/key.pem" 2>/dev/null |
		openssl x509 -req -CA "$DOCKER_TLS_CERTDIR/ca/cert.pem" -CAkey "$DOCKER_TLS_CERTDIR/ca/key.pem" \
			-set_serial "0x$(openssl rand -hex 8)" -days 825 -out "$file/cert.pem" -extfile <(printf '%s\n' "$@") 2>/dev/null
	cp "$DOCKER_TLS_CERTDIR/ca/cert.pem" "$file/ca.pem"
	openssl verify -CAfile "$file/ca.pem" "$file/cert.pem"
}

names() {
	local name
	for name in docker localhost "$(hostname)"; do printf 'DNS:%s,' "$name"; done
	for name in $(hostname -I); do printf 'IP:%s,' "$name"; done
	printf 'IP:127.0.0.1,IP:::1%s\n' "${DOCKER_TLS_SAN:+,$DOCKER_TLS_SAN}"
}

# With a CA's certificate but not its key somebody else made the certificates: they are used as they are.
make_certificates() {
	local dir=$DOCKER_TLS_CERTDIR
	if [ ! -s "$dir/ca/key.pem" ] && { [ -s "$dir/ca/cert.pem" ] || [ -s "$dir/server/cert.pem" ]; }; then
		openssl verify -CAfile "$dir/server/ca.pem" "$dir/server/cert.pem"
		return
	fi
	mkdir -p "$dir/ca" "$dir/server" "$dir/client"
	[ -s "$dir/ca/key.pem" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$dir/ca/key.pem"
	openssl req -x509 -new -key "$dir/ca/key.pem" -subj '/CN=docker:dind CA' -days 825 -out "$dir/ca/cert.pem"
	signed "$dir/server" 'docker:dind server' "subjectAltName=$(names)"
	signed "$dir/client" 'docker:dind client' extendedKeyUsage=clientAuth
	# Clients of any user.
	chmod 644 "$dir/client/key.pem"
}

# What a daemon expects of the machine it runs on, and a container does not have by itself.
prepare_container() {
	rm -f /run/docker*.pid /run/docker/containerd/*.pid
	[ -e /sys/kernel/security ] && mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security 2>/dev/null ||
		echo 'no securityfs; going on without' >&2
	mountpoint -q /tmp || mount -t tmpfs none /tmp
	mount --make-rshared /
	# cgroup v2: a group with processes cannot hand controllers down.
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		mkdir -p /sys/fs/cgroup/init
		while read -r pid; do echo "$pid" >/sys/fs/cgroup/init/cgroup.procs; done </sys/fs/cgroup/cgroup.procs 2>/dev/null || :
		sed -e 's/ / +/g' -e 's/^/+/' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
	fi
}

if [ $# = 0 ] || [ "${1:0:1}" = - ]; then
	socket=unix:///var/run/docker.sock
	[[ ${DOCKER_HOST-} != unix://* ]] || socket=$DOCKER_HOST
	if [ -n "${DOCKER_TLS_CERTDIR-}" ]; then
		make_certificates
		set -- dockerd --host "$socket" --host tcp://0.0.0.0:2376 --tlsverify --tlscacert "$DOCKER_TLS_CERTDIR/server/ca.pem" \
			--tlscert "$DOCKER_TLS_CERTDIR/server/cert.pem" --tlskey "$DOCKER_TLS_CERTDIR/server/key.pem" "$@"
	else
		set -- dockerd --host "$socket" --host tcp://0.0.0.0:2375 "$@"
	fi
fi
[ "$1" = dockerd ] || exec docker-entrypoint.sh "$@"
[ "$(id -u)" = 0 ] || {
	echo 'dockerd needs root: this image has no rootless mode' >&2
	exit 1
}
prepare_container
exec "$@"
