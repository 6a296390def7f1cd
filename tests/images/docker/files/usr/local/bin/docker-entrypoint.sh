#!/bin/sh
# Finds the daemon for the client: DOCKER_HOST as it is given, else a socket, else a service called `docker`.
set -eu

[ "${1#-}" = "${1-}" ] || set -- docker "$@"
# `docker run docker:cli ps` means `docker ps`.
if [ -n "${1-}" ] && docker help "$1" >/dev/null 2>&1; then set -- docker "$@"; fi

has_client_certificates() {
	[ -n "${DOCKER_TLS_CERTDIR-}" ] && [ -s "$DOCKER_TLS_CERTDIR/client/ca.pem" ] &&
		[ -s "$DOCKER_TLS_CERTDIR/client/cert.pem" ] && [ -s "$DOCKER_TLS_CERTDIR/client/key.pem" ]
}

if [ -z "${DOCKER_HOST-}" ] && [ ! -S /var/run/docker.sock ]; then
	if has_client_certificates; then
		export DOCKER_HOST=tcp://docker:2376
	else
		export DOCKER_HOST=tcp://docker:2375
	fi
fi
case ${DOCKER_HOST-} in
tcp:*)
	if [ -z "${DOCKER_TLS_VERIFY-}${DOCKER_CERT_PATH-}" ] && has_client_certificates; then
		export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$DOCKER_TLS_CERTDIR/client"
	fi
	;;
esac
if [ "${1-}" = dockerd ] && ! command -v dockerd >/dev/null; then
	echo "this image holds the Docker client only; the daemon is in docker:dind" >&2
fi
exec "$@"
