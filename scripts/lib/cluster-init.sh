# shellcheck shell=bash disable=SC2154
# dev-cluster's side inside the namespaces: the first process, which keeps the daemons running. Uses its variables.

daemons=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns)

# Paths that are fixed in kubelet, containerd's shims and the CNI plugins.
mount_points=(/run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers)

lay_mounts() {
	local directory file
	# What the machine mounts later shows here where its own propagation allows, nothing of ours shows there; volumes of
	# pods may share mounts with the node.
	mount --make-rshared /
	for directory in "${mount_points[@]}"; do
		mount --bind "$run/node$directory" "$directory"
	done
	mount --bind "$etc/resolv.conf" /etc/resolv.conf
	while read -r file; do
		mount --bind "$etc/sys/$file" "/proc/sys/$file"
	done < <(cd -- "$etc/sys" && find . -type f)
}

# forget_containers: those of an earlier run; images stay.
forget_containers() {
	local old containerd
	[ -d "$state/containerd/io.containerd.metadata.v1.bolt" ] || return 0
	containerd --config "$etc/containerd-images.toml" >>"$log/containerd.log" 2>&1 &
	containerd=$!
	wait_for 30 containerd_answers || die "containerd does not start: $(tail -n 3 "$log/containerd.log")"
	mapfile -t old < <(images containers ls --quiet)
	[ ${#old[@]} = 0 ] || images containers rm "${old[@]}"
	kill "$containerd"
	wait "$containerd" || :
}

run_etcd() {
	exec "$bin/etcd" --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380
}

run_containerd() { exec containerd --config "$etc/containerd.toml"; }

run_kube-apiserver() {
	exec "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --advertise-address "$(net).0.2" \
		--service-cluster-ip-range "$(net).128.0/17" --allow-privileged \
		--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction,PodSecurity \
		--client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/kube-apiserver.crt" --tls-private-key-file "$pki/kube-apiserver.key" \
		--kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
		--kubelet-client-certificate "$pki/kubelet-client.crt" --kubelet-client-key "$pki/kubelet-client.key" \
		--service-account-issuer https://kubernetes.default.svc.cluster.local \
		--service-account-key-file "$pki/service-accounts.key" --service-account-signing-key-file "$pki/service-accounts.key"
}

run_kube-controller-manager() {
	exec "$bin/kube-controller-manager" --kubeconfig "$etc/kube-controller-manager.kubeconfig" --leader-elect=false \
		--use-service-account-credentials --root-ca-file "$pki/ca.crt" --service-account-private-key-file "$pki/service-accounts.key"
}

run_kube-scheduler() {
	exec "$bin/kube-scheduler" --kubeconfig "$etc/kube-scheduler.kubeconfig" --leader-elect=false
}

run_kubelet() {
	exec "$bin/kubelet" --config "$etc/kubelet.yaml" --kubeconfig "$etc/kubelet.kubeconfig" \
		--hostname-override "$name" --node-ip "$(net).0.2"
}

run_kube-proxy() { exec "$bin/kube-proxy" --config "$etc/kube-proxy.yaml" --hostname-override "$name"; }

run_coredns() {
	kubectl apply --filename "$etc/coredns.yaml" && exec "$bin/coredns" -conf "$etc/Corefile"
}

# keep DAEMON: runs it, again and again, its output in its log.
keep() {
	local status
	# At first they would only fail against an API server that is not there yet, and wait longer each time.
	case $1 in
	etcd | containerd | kube-apiserver) ;;
	*) until api_answers; do sleep 0.1; done ;;
	esac
	while :; do
		status=0
		(run_with_pid "$1") >>"$log/$1.log" 3>&- || status=$?
		rm -f "$run/$1.pid"
		printf '%s: %s ended with status %s and is started again\n' "$(date +%T)" "$1" "$status" >&3
		sleep 1
	done
}

run_with_pid() {
	printf '%s\n' "$BASHPID" >"$run/$1.pid"
	"run_$1"
}

init() {
	local daemon
	lay_mounts
	join_link
	forget_containers
	for daemon in "${daemons[@]}"; do
		# One shell for each: `wait -n` for all of them misses daemons that end at once. What the shell itself says of an
		# end belongs into the log too.
		keep "$daemon" 3>&2 2>>"$log/$daemon.log" &
	done
	: >"$run/ready"
	# Reaps what the daemons leave behind, too.
	wait
}
