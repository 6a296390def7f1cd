# shellcheck shell=bash disable=SC2034,SC2154
# The daemon. The OCI runtime in front of runc is for machines without CAP_SYS_RESOURCE; it does nothing elsewhere.
names=(docker:dind docker:stable-dind)
base=docker:latest
packages=(docker.io iptables iproute2 openssl pigz xz-utils)
inputs=(scripts/lib/oci-runtime.cpp)
changes=('ENTRYPOINT ["dockerd-entrypoint.sh"]' 'EXPOSE 2375 2376' 'VOLUME /var/lib/docker' 'ENV DOCKER_TLS_CERTDIR=/certs')

rootfs() {
	local runtime=${BERTH_DEV_STATE:-/var/lib/berth-dev}/oci-runtime
	[ -w "$(dirname -- "$runtime")" ] || runtime=$scratch/oci-runtime
	oci_runtime "$runtime"
	install -D -m 755 "$runtime" "$1/usr/local/bin/runc"
}
