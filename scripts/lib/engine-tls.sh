# shellcheck shell=bash disable=SC2154
# Certificates for `dev-engine up --tls`. Uses dev-engine's variables.

# certificates DIR: CA, server and client, where they are not there or belong to another address.
certificates() {
	local dir=$1
	need_programs openssl=openssl
	if [ -s "$dir/server/cert.pem" ] && openssl x509 -in "$dir/server/cert.pem" -noout -checkip "$(net).0.2" | grep -q 'does match' &&
		openssl x509 -in "$dir/server/cert.pem" -noout -checkend 3600 >/dev/null; then return; fi
	mkdir -p "$dir/server"
	make_authority "berth-dev $name" "$dir/server/ca-key.pem" "$dir/ca.pem"
	cp "$dir/ca.pem" "$dir/server/ca.pem"
	certificate "$dir" "$dir/server" serverAuth "subjectAltName=IP:$(net).0.2,IP:127.0.0.1,DNS:localhost,DNS:docker"
	certificate "$dir" "$dir" clientAuth
	rm "$dir/server/ca-key.pem"
	[ -z "${SUDO_GID-}" ] || chown -R "${SUDO_UID-}:$SUDO_GID" "$dir"
}

# certificate DIR INTO USAGE [LINE]
certificate() {
	make_certificate "$1/ca.pem" "$1/server/ca-key.pem" "/CN=$3" "$2/key.pem" "$2/cert.pem" "extendedKeyUsage=$3" "${4-}"
}
