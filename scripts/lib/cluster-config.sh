# shellcheck shell=bash disable=SC2154
# What dev-cluster writes before it starts: certificates, kubeconfigs, the programs' configurations. Uses its variables.

# authority: the one that signs everything, and the key of service account tokens.
authority() {
	make_authority "berth-dev $name" "$pki/ca.key" "$pki/ca.crt"
	openssl ecparam -name prime256v1 -genkey -noout -out "$pki/service-accounts.key"
	chmod 644 "$pki/ca.crt"
}

# certificate FILE SUBJECT [SUBJECT ALTERNATIVE NAMES]
certificate() {
	local lines=("extendedKeyUsage=clientAuth")
	[ -z "${3-}" ] || lines=("extendedKeyUsage=clientAuth,serverAuth" "subjectAltName=$3")
	make_certificate "$pki/ca.crt" "$pki/ca.key" "$2" "$pki/$1.key" "$pki/$1.crt" "${lines[@]}"
}

# write_kubeconfig FILE CERTIFICATE
write_kubeconfig() {
	# The keys in it are for its owner only.
	(umask 077 && cat >"$1") <<-END
		apiVersion: v1
		kind: Config
		current-context: $name
		contexts:
		- name: $name
		  context:
		    cluster: $name
		    user: $2
		clusters:
		- name: $name
		  cluster:
		    server: https://$(net).0.2:6443
		    certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
		users:
		- name: $2
		  user:
		    client-certificate-data: $(base64 -w0 "$pki/$2.crt")
		    client-key-data: $(base64 -w0 "$pki/$2.key")
	END
}

identities() {
	local client
	authority
	certificate kube-apiserver /CN=kube-apiserver "IP:$(net).0.2,IP:$(net).128.1,IP:127.0.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost"
	certificate kubelet "/O=system:nodes/CN=system:node:$name" "IP:$(net).0.2,DNS:$name"
	certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
	certificate admin /O=system:masters/CN=admin
	write_kubeconfig "$state/kubeconfig" admin
	chown "${SUDO_UID:-0}:${SUDO_GID:-0}" "$state/kubeconfig"
	for client in kube-controller-manager kube-scheduler kube-proxy coredns; do
		certificate "$client" "/CN=system:$client"
	done
	for client in kubelet kube-controller-manager kube-scheduler kube-proxy coredns; do
		write_kubeconfig "$etc/$client.kubeconfig" "$client"
	done
}

configure_containerd() {
	local runtime=runc
	has_sys_resource || runtime=$base/oci-runtime
	cat >"$etc/containerd.toml" <<-END
		version = 2
		root = "$state/containerd"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
		[grpc]
		  address = "/run/containerd/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "$pause_image"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/usr/lib/cni"
		    conf_dir = "$etc/cni"
		  [plugins."io.containerd.grpc.v1.cri".registry]
		    config_path = "$etc/registries"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		    runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		      BinaryName = "$runtime"
	END
	# The same without pods, to throw away an earlier run's.
	sed 's,^disabled_plugins = \[,&"io.containerd.grpc.v1.cri"\, ,' "$etc/containerd.toml" >"$etc/containerd-images.toml"
	# Routed, not masqueraded: the machine and the pods see each other's addresses.
	cat >"$etc/cni/10-pods.conflist" <<-END
		{
		  "cniVersion": "1.0.0",
		  "name": "pods",
		  "plugins": [
		    {
		      "type": "bridge", "bridge": "pods", "isDefaultGateway": true, "hairpinMode": true, "mtu": $(link_mtu),
		      "ipam": {"type": "host-local", "ranges": [[{"subnet": "$(net).64.0/18"}]]}
		    },
		    {"type": "portmap", "capabilities": {"portMappings": true}}
		  ]
		}
	END
}

# Eviction and image collection are off: the machine's disk may be full of other things, and no registry may have the
# images. Nothing is written to the machine's kernel, and oom_score_adj is left as it is.
configure_node() {
	local setting
	cat >"$etc/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		address: $(net).0.2
		tlsCertFile: $pki/kubelet.crt
		tlsPrivateKeyFile: $pki/kubelet.key
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
		authorization: {mode: Webhook}
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		cgroupDriver: cgroupfs
		cgroupRoot: /$cgroup
		failCgroupV1: false
		failSwapOn: false
		oomScoreAdj: 0
		enforceNodeAllocatable: []
		evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%"}
		imageGCHighThresholdPercent: 100
		makeIPTablesUtilChains: false
		clusterDomain: cluster.local
		clusterDNS: ["$(net).0.2"]
		resolvConf: $etc/resolv.conf
		podLogsDir: $run/pod-logs
		volumePluginDir: $run/volume-plugins
	END
	# Images that were loaded are for every pod, also where a test has pulled the same with a login.
	[ "${version#*.}" -lt 35 ] || printf 'imagePullCredentialsVerificationPolicy: NeverVerify\n' >>"$etc/kubelet.yaml"
	# What the kubelet would write to these unless it read just that: shown to it by mounts.
	for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
		kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
		mkdir -p "$etc/sys/$(dirname "$setting")"
		printf '%s\n' "${setting#*=}" >"$etc/sys/${setting%=*}"
	done
	cat >"$etc/kube-proxy.yaml" <<-END
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		clientConnection: {kubeconfig: $etc/kube-proxy.kubeconfig}
		mode: nftables
		clusterCIDR: $(net).64.0/18
		oomScoreAdj: 0
		conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
	END
}

# name_servers: those of the machine that answer from within; one on the machine's loopback does not.
name_servers() {
	local file server
	for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
		[ ! -r "$file" ] || sed -n 's/^nameserver[[:space:]]*\([0-9.]*\).*/\1/p' "$file"
	done | grep -v '^127\.' | sort -u | while read -r server; do
		! name_server_answers "$server" || printf '%s ' "$server"
	done
}

# name_server_answers ADDRESS: asks for the root's name servers, which takes no tool.
name_server_answers() {
	local reply=''
	exec 7<>"/dev/udp/$1/53" || return 1
	printf 'be\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1' >&7
	IFS= read -r -t 1 -N 2 -u 7 reply
	exec 7>&-
	[ "$reply" = be ]
} 2>/dev/null

configure_names() {
	local servers other=$'template ANY ANY {\n        rcode NXDOMAIN\n    }'
	servers=$(name_servers)
	# Where nobody answers a name is unknown at once: asking in vain would take every failing pull 10 s.
	[ -z "$servers" ] || other="forward . $servers"
	cat >"$etc/Corefile" <<-END
		.:53 {
		    bind $(net).0.2
		    errors
		    hosts $etc/hosts {
		        fallthrough
		    }
		    kubernetes cluster.local {
		        kubeconfig $etc/coredns.kubeconfig
		    }
		    $other
		}
	END
	printf '%s.0.1 machine.berth-dev.test\n' "$(net)" >"$etc/hosts"
	printf 'nameserver %s.0.2\n' "$(net)" >"$etc/resolv.conf"
	cat >"$etc/coredns.yaml" <<-END
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: berth-dev:coredns}
		rules:
		- {apiGroups: [""], resources: [namespaces, pods, services], verbs: [list, watch]}
		- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRoleBinding
		metadata: {name: berth-dev:coredns}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: berth-dev:coredns}
		subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:coredns}]
	END
}

configure() {
	mkdir -p "$pki" "$etc"/{cni,registries,sys}
	identities
	configure_containerd
	configure_node
	configure_names
}
