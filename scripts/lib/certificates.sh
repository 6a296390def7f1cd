# shellcheck shell=bash
# Keys and certificates of the development engine and cluster. openssl makes keys for their owner only.

# quietly COMMAND...: what it says on stderr is shown only where it fails.
quietly() {
	local said status=0
	said=$(mktemp)
	"$@" 2>"$said" || { status=$?; cat "$said" >&2; }
	rm -f "$said"
	return "$status"
}

# make_authority NAME KEY CERTIFICATE
make_authority() {
	quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -days 365 \
		-addext keyUsage=critical,keyCertSign,digitalSignature -keyout "$2" -out "$3"
}

# make_certificate AUTHORITY ITS_KEY SUBJECT KEY CERTIFICATE EXTENSION...
make_certificate() {
	local authority=$1 authority_key=$2 subject=$3 key=$4 certificate=$5
	shift 5
	quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" -keyout "$key" |
		quietly openssl x509 -req -CA "$authority" -CAkey "$authority_key" -set_serial "0x$(openssl rand -hex 8)" \
			-days 365 -extfile <(printf '%s\n' keyUsage=critical,digitalSignature "$@") -out "$certificate"
}
