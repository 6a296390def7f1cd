# shellcheck shell=bash disable=SC2154
# What an instance (instance.sh) lays on the machine, and takes away: addresses, the veth pair, the way out, cgroups,
# directories to mount on.

choose_net() {
	local candidate
	if [ -n "${BERTH_DEV_NET-}" ]; then
		[[ $BERTH_DEV_NET =~ ^[0-9]{1,3}\.[0-9]{1,3}$ ]] || die "BERTH_DEV_NET '$BERTH_DEV_NET' is not the first two bytes of an address, as in 10.89"
		printf '%s\n' "$BERTH_DEV_NET" >"$state/net"
		return
	fi
	[ ! -s "$state/net" ] || ! net_taken "$(net)" || rm "$state/net"
	[ ! -s "$state/net" ] || return 0
	for candidate in 10.89 10.9{0..5}; do
		net_taken "$candidate" || {
			printf '%s\n' "$candidate" >"$state/net"
			return
		}
	done
	die "10.89 to 10.95 are all in use on this machine: name two free bytes by BERTH_DEV_NET"
}

# net_taken NET: a route of this machine or another engine uses it.
net_taken() {
	local file routes
	# Read to its end first: `grep -q` would end a pipe early, and pipefail take that for "free".
	routes=$(ip -4 route show table all | grep -v " dev $link ") || :
	! grep -qw "${1//./\\.}\.[0-9]*\.[0-9]*" <<<"$routes" || return 0
	for file in "$base"/*/net; do
		[ "$file" = "$state/net" ] || [ "$(cat "$file" 2>/dev/null)" != "$1" ] || return 0
	done
	return 1
}

# rules ADD: the way out. Called with -I to lay, with -D to take away.
rules() {
	local mark=(-m comment --comment "berth-dev $name")
	iptables -w "$1" FORWARD -i "$link" "${mark[@]}" -j ACCEPT
	iptables -w "$1" FORWARD -o "$link" "${mark[@]}" -j ACCEPT
	iptables -w "$1" INPUT -i "$link" "${mark[@]}" -j ACCEPT
	iptables -w -t nat "$1" POSTROUTING -s "$(net).0.0/16" ! -o "$link" "${mark[@]}" -j MASQUERADE
}

# remove_rules: every rule with our mark, however often a killed `up` laid it.
remove_rules() {
	local mark=(-m comment --comment "berth-dev $name")
	local table rule
	for table in filter nat; do
		while read -r rule; do
			# The listing is the command line of each rule, quoted for a shell.
			eval "iptables -w -t $table -D ${rule#-A }"
		done < <(iptables -w -t "$table" -S | grep -F -- "--comment \"berth-dev $name\"")
	done
}

# link_mtu: that of the way out.
link_mtu() {
	local device
	device=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
	if [ -n "$device" ]; then cat "/sys/class/net/$device/mtu"; else printf '1500\n'; fi
}

# lay_link NETWORK NAMESPACE
lay_link() {
	local mtu
	mtu=$(link_mtu)
	printf '%s\n' "$mtu" >"$state/mtu"
	ip link add "$link" mtu "$mtu" type veth peer name eth0 mtu "$mtu" netns "$1"
	ip address add "$(net).0.1/24" dev "$link"
	ip link set "$link" up
	rules -I
	if [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]; then
		echo 1 >/proc/sys/net/ipv4/ip_forward
		: >"$base/ip-forward-was-off"
	fi
}

remove_link() {
	# The kernel may be taking it away just now, with the namespace of its other end.
	ip link delete "$link" 2>/dev/null || ! ip link show "$link" >/dev/null 2>&1 || die "the interface $link cannot be deleted"
	remove_rules
	# Forwarding goes off again only if we put it on and nothing else that could need it is left.
	if [ -e "$base/ip-forward-was-off" ] && [ -z "$(ip -o link show type veth)$(ip -o link show type bridge)" ]; then
		echo 0 >/proc/sys/net/ipv4/ip_forward
		rm "$base/ip-forward-was-off"
	fi
}

remove_cgroups() {
	local top directory
	for top in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
		[ -d "$top" ] || continue
		while read -r directory; do
			# The kernel frees a cgroup a moment after its last process.
			wait_for 5 rmdir "$directory" 2>/dev/null || say "cgroup $directory stays: it still has processes"
		done < <(find "$top" -depth -type d)
	done
}

# Two instances may use the same directory, and removing one that another has a mount on takes that mount away.
lock_mount_points() {
	mkdir -p /run/lock
	exec 8>/run/lock/berth-dev
	flock 8
}

make_mount_points() {
	local directory
	for directory; do
		[ -d "$directory" ] || {
			mkdir -p "$directory"
			printf '%s\n' "$directory" >>"$base/mount-points"
		}
	done
}

# remove_mount_points: those that we made and nobody has a mount on.
remove_mount_points() {
	local directory
	[ -e "$base/mount-points" ] || return 0
	lock_mount_points
	while read -r directory; do
		if grep -qsF " $directory " /proc/[0-9]*/mountinfo; then
			printf '%s\n' "$directory"
		else
			rmdir "$directory" 2>/dev/null || :
		fi
	done < <(sort -u "$base/mount-points") >"$base/mount-points.left"
	mv "$base/mount-points.left" "$base/mount-points"
	[ -s "$base/mount-points" ] || rm "$base/mount-points"
	exec 8>&-
}
