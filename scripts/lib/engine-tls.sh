# shellcheck shell=bash disable=SC2154
# Certificates for `dev-engine up --tls`. Uses dev-engine's variables.

# certificates DIR: CA, server and client, where they are not there or belong to another address.
certificates() {
	local dir=$1
	need_programs openssl=openssl
	if [ -s "$dir/server/cert.pem" ] && openssl x509 -in "$dir/server/cert.pem" -noout -checkip "$(net).0.2" | grep -q 'does match' &&
		openssl x509 -in "$dir/server/cert.pem" -noout -checkend 3600 >/dev/null; then return; fi
	mkdir -p "$dir/server"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=berth-dev $name" -days 365 \
		-keyout "$dir/server/ca-key.pem" -out "$dir/ca.pem" -addext keyUsage=critical,keyCertSign 2>/dev/null
	cp "$dir/ca.pem" "$dir/server/ca.pem"
	certificate "$dir" "$dir/server" serverAuth "subjectAltName=IP:$(net).0.2,IP:127.0.0.1,DNS:localhost,DNS:docker"
	certificate "$dir" "$dir" clientAuth
	rm "$dir/server/ca-key.pem"
	[ -z "${SUDO_GID-}" ] || chown -R "${SUDO_UID-}:$SUDO_GID" "$dir"
}

# certificate DIR INTO USAGE [LINE]
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$3" -keyout "$2/key.pem" 2>/dev/null |
		openssl x509 -req -CA "$1/ca.pem" -CAkey "$1/server/ca-key.pem" -set_serial "0x$(openssl rand -hex 8)" -days 365 -out "$2/cert.pem" \
			-extfile <(printf '%s\n' keyUsage=critical,digitalSignature "extendedKeyUsage=$3" "${4-}") 2>/dev/null
}
