# shellcheck shell=bash disable=SC2154
# How images come into dev-cluster's node. Uses its variables.

# images ...: containerd's client, in the namespace of its Kubernetes interface.
images() { ctr --address "$run/node/run/containerd/containerd.sock" --namespace k8s.io "$@"; }

containerd_answers() { images version >/dev/null 2>&1; }

import() { images images import "$1" >/dev/null || die "containerd could not import $1"; }

# have_images NAME...: by complete names.
have_images() {
	local wanted
	for wanted; do
		[ -n "$(images images ls --quiet "name==$wanted")" ] || return 1
	done
}

# complete NAME: as Kubernetes completes it.
complete() {
	local first=${1%%/*} image=$1
	case $first in
	"$image") image=docker.io/library/$image ;;
	*.* | *:* | localhost) ;;
	*) image=docker.io/$image ;;
	esac
	[[ ${image##*/} == *:* ]] || image=$image:latest
	printf '%s\n' "$image"
}

# same_image NAME ID: does the node have just that image under the name? The engine knows an image by the digest of its
# configuration; so does Kubernetes' interface, beside the names.
same_image() {
	local named
	named=$(digest_of "$1")
	[ -n "$named" ] && { [ "$named" = "$2" ] || [ "$named" = "$(digest_of "$2")" ]; }
}

digest_of() { awk -v name="$1" '$1 == name { print $3 }' <<<"$listing"; }

# forget_unnamed: images that a newer one of the same name replaced.
forget_unnamed() {
	local old
	mapfile -t old < <(images images ls | awk 'NR > 1 { if ($1 ~ /^sha256:/) id[$1] = $3; else named[$3] = 1 }
		END { for (one in id) if (!(id[one] in named)) print one }')
	[ ${#old[@]} = 0 ] || images images rm "${old[@]}" >/dev/null
}

# load WHAT...: archives, and images of the Docker engine by name; of those only what the node does not have.
load() {
	local word id listing names=() missing=()
	first_process >/dev/null || die "cluster '$name' is down; start it with: $0 up"
	for word; do
		case $word in
		*.tar) import "$word" ;;
		*) names+=("$word") ;;
		esac
	done
	[ ${#names[@]} -gt 0 ] || return 0
	find_engine
	locked
	listing=$(images images ls)
	for word in "${names[@]}"; do
		id=$(docker image inspect --format '{{.Id}}' "$word") || die "the Docker engine has no image '$word'; scripts/dev-images makes those that tests use"
		same_image "$(complete "$word")" "$id" || missing+=("$word")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "bringing into cluster '$name': ${missing[*]}"
	docker save "${missing[@]}" | import -
	forget_unnamed
}
