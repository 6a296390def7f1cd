# shellcheck shell=bash disable=SC2034,SC2154
# What dev-cluster runs: Kubernetes in one program, and the image of the pods' first process. Uses its variables.

module=$here/lib/cluster-node
cache=${BERTH_DEV_CACHE:-/var/cache/berth}/cluster-node

# modfile VERSION: the versions of everything, for that Kubernetes. go.mod is the default's.
modfile() {
	case $1 in
	1.36) printf '%s/go.mod\n' "$module" ;;
	*) printf '%s/kubernetes-%s.mod\n' "$module" "$1" ;;
	esac
}

versions() {
	local file
	printf '1.36\n'
	for file in "$module"/kubernetes-*.mod; do
		file=${file##*/kubernetes-}
		printf '%s\n' "${file%.mod}"
	done
}

# exact_version VERSION: 1.36 -> v1.36.3.
exact_version() { sed -n 's,^[[:space:]]*k8s.io/kubernetes \(v[^ ]*\).*,\1,p' "$(modfile "$1")"; }

# linker_flags VERSION
linker_flags() {
	local exact package
	exact=$(exact_version "$1")
	printf -- '-s -w'
	# Without them the programs, and the node, would call themselves v0.0.0-master.
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf ' -X %s' "$package.gitVersion=$exact" "$package.gitTreeState=clean" "$package.gitMajor=${1%%.*}" "$package.gitMinor=${1#*.}"
	done
}

# program_folder VERSION: where that version is kept, by all that it is made of.
program_folder() {
	local mod key
	mod=$(modfile "$1")
	key=$({
		linker_flags "$1"
		cat "$mod" "${mod%.mod}.sum" "$module"/*.go
	} | sha256sum | cut -c1-16)
	printf '%s/%s-%s-%s\n' "$cache" "$1" "$(uname -m)" "$key"
}

# find_go: a Go that can build the module: PATH's, a versioned package's, else the distribution's if that is new enough.
find_go() {
	local candidate found packaged wanted
	wanted=$(sed -n 's/^go //p' "$module/go.mod")
	for candidate in go /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
		command -v "$candidate" >/dev/null || continue
		# One that may fetch newer toolchains does so here, and says the newer one's version.
		found=$(cd -- "$module" && "$candidate" env GOVERSION) || continue
		if at_least "${found#go}" "$wanted"; then
			printf '%s\n' "$candidate"
			return
		fi
	done
	packaged=$(apt-cache policy golang-go 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p')
	at_least "${packaged:-0}" "$wanted" || die "Kubernetes needs Go $wanted or newer to build: PATH has ${found:-none}, the package golang-go is ${packaged:-not to be had}. Install one from https://go.dev/dl/ and put it on PATH"
	need cluster-build
	printf 'go\n'
}

# at_least VERSION WANTED
at_least() { printf '%s\n' "$2" "$1" | sort -V -C; }

# build_program VERSION
build_program() {
	local folder go exact program start=$SECONDS
	folder=$(program_folder "$1")
	[ ! -x "$folder/cluster-node" ] || return 0
	go=$(find_go)
	exact=$(exact_version "$1")
	rm -rf "$folder.part"
	say "building Kubernetes $exact into $folder (once; minutes)"
	mkdir -p "$cache"
	(cd -- "$module" && CGO_ENABLED=0 "$go" build -modfile "$(modfile "$1")" -trimpath -ldflags "$(linker_flags "$1")" -o "$folder.part/cluster-node" .) \
		>"$cache/build.log" 2>&1 || die "Kubernetes $exact does not build: $(grep -v ': downloading ' "$cache/build.log" | tail -n 5)"
	for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns kubectl; do
		ln -s cluster-node "$folder.part/$program"
	done
	# Of each version the newest is kept; running clusters have links of their own.
	rm -rf "$cache/$1-$(uname -m)"-????????????????
	mv "$folder.part" "$folder"
	say "built Kubernetes $exact ($((SECONDS - start)) s)"
}

pause_image=localhost/berth-dev/pause:1

# build_pause: the image as an archive in the form of `docker save`.
build_pause() {
	local archive layer scratch source=$module/pause.cpp
	archive=$cache/pause-$(cat "$source" "$here/lib/cluster-build.sh" | sha256sum | cut -c1-16).tar
	pause_archive=$archive
	[ ! -e "$archive" ] || return 0
	need_programs g++=g++
	mkdir -p "$cache"
	scratch=$(mktemp -d "$cache/pause.XXXX")
	mkdir "$scratch/files"
	g++ -std=c++20 -Os -static -s -o "$scratch/files/pause" "$source" || {
		rm -rf "$scratch"
		die "$source does not compile"
	}
	tar -C "$scratch/files" --sort=name --owner 0 --group 0 -cf "$scratch/layer.tar" pause
	layer=$(sha256sum "$scratch/layer.tar" | cut -d' ' -f1)
	printf '{"architecture": "%s", "os": "linux", "config": {"Entrypoint": ["/pause"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}\n' \
		"$(dpkg --print-architecture)" "$layer" >"$scratch/config.json"
	printf '[{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]\n' "$pause_image" >"$scratch/manifest.json"
	rm -f "$cache"/pause-*.tar
	tar -C "$scratch" -cf "$archive.part" manifest.json config.json layer.tar
	mv "$archive.part" "$archive"
	rm -rf "$scratch"
}
