# shellcheck shell=bash disable=SC2034,SC2154,SC2317
# What dev-engine and dev-cluster are made of. An instance is one process tree in mount, PID and network namespaces of
# its own, joined to the machine by a veth pair: its first process ended, all of it is ended.
# shellcheck source=scripts/lib/dev.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/dev.sh"
# shellcheck source=scripts/lib/machine.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/machine.sh"

# instance NAME VARIABLE: sets what everything below uses; VARIABLE is the one that names the instance.
instance() {
	name=$1
	base=${BERTH_DEV_STATE:-/var/lib/berth-dev}
	state=$base/$name
	run=$state/run
	log=$state/log
	link=bd-$name
	cgroup=berth-dev-$name
	case $name in
	*[!a-z0-9-]* | '') die "$2 '$name' has other characters than a-z, 0-9 and -" ;;
	esac
	[ ${#link} -le 15 ] || die "$2 '$name' is longer than 12 characters (it names a network interface)"
	[ ${#state} -le 60 ] || die "BERTH_DEV_STATE '$base' is too long: unix sockets below it would exceed 107 characters"
	[[ $base == /* ]] || die "BERTH_DEV_STATE '$base' is not an absolute path"
}

# locked: one command at a time changes the instance; refuses the folder of another kind of instance.
locked() {
	mkdir -p "$state"
	exec 9>"$state/lock"
	flock 9
	[ -e "$state/kind" ] || printf '%s\n' "${0##*/}" >"$state/kind"
	[ "$(cat "$state/kind")" = "${0##*/}" ] || die "$state belongs to $(cat "$state/kind"): choose another name"
}

# start_time PID: field 22 of its stat, which tells a process from a later one with the same id.
start_time() {
	local stat
	read -r stat <"/proc/$1/stat" || return 1
	# Past the command name, which may hold blanks, the state is field 3.
	read -ra stat <<<"${stat##*) }"
	[ "${stat[0]}" != Z ] && printf '%s\n' "${stat[19]}"
} 2>/dev/null

# first_process: its id as the machine sees it; fails when the namespaces are gone.
first_process() {
	local pid time
	read -r pid time 2>/dev/null <"$state/pid" || return 1
	[ "$(start_time "$pid")" = "$time" ] && printf '%s\n' "$pid"
}

# inside COMMAND...: in the instance's namespaces.
inside() {
	local pid
	pid=$(first_process) || die "'$name' is down; start it with: $0 up"
	nsenter --target "$pid" --mount --pid --net -- "$@"
}

# alive DAEMON: whether the daemon with that pid file runs.
alive() {
	# shellcheck disable=SC2016
	(inside sh -c 'read -r pid <"$1" && kill -0 "$pid"' alive "$run/$1.pid") 2>/dev/null
}

# end_daemon DAEMON: kills it where it runs; it may well end by itself meanwhile. A later one of that name is left alone.
end_daemon() {
	local pid
	read -r pid 2>/dev/null <"$run/$1.pid" || return 0
	# shellcheck disable=SC2016
	process_gone() { ! (inside sh -c 'kill -s KILL "$1"' kill "$pid") 2>/dev/null; }
	wait_for 10 process_gone || die "$1 does not end on SIGKILL"
}

# signal_daemon DAEMON SIGNAL: SIGKILL returns when it is gone.
signal_daemon() {
	alive "$1" || die "$1 does not run"
	if [ "$2" = KILL ]; then
		end_daemon "$1"
	else
		# shellcheck disable=SC2016
		inside sh -c 'kill -s "$1" "$(cat "$2")"' signal "$2" "$run/$1.pid" || die "$1 gets no SIG$2"
	fi
}

# wait_for SECONDS COMMAND...
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

net() { cat "$state/net"; }

# close_inherited: what lives on must not hold the locks that we or our callers hold.
close_inherited() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || [ "$fd" = 255 ] || exec {fd}>&-
	done
}

# start_init DIRECTORY...: the first process, the calling script's `init`, which binds mounts over these directories.
start_init() {
	local outer pid
	: >"$log/init.log"
	lock_mount_points
	make_mount_points "$@"
	(
		close_inherited
		exec setsid unshare --mount --propagation slave --pid --net --fork --kill-child --mount-proc \
			"$here/${0##*/}" init "$state" </dev/null >>"$log/init.log" 2>&1
	) &
	outer=$!
	# Its child is the first process; the kernel need not offer a list of children.
	find_child() { pid=$(grep -ls "^PPid:[[:space:]]*$outer\$" /proc/[0-9]*/status | grep -o '[0-9]*'); }
	wait_for 10 find_child || die "the namespaces did not start: $(tail -n 3 "$log/init.log")"
	printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$state/pid"
	lay_link "/proc/$pid/ns/net"
	wait_for 10 test -e "$run/ready" || die "the namespaces are not ready: $(tail -n 3 "$log/init.log")"
	exec 8>&-
}

# join_link: in the namespaces, the instance's end of the veth pair.
join_link() {
	ip link set lo up
	wait_for 10 ip link show eth0 >/dev/null 2>&1 || die "the interface eth0 does not come into the namespaces"
	ip address add "$(net).0.2/24" dev eth0
	ip link set eth0 up
	ip route add default via "$(net).0.1"
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

# end_first_process: ends all of the instance; the kernel takes mounts, interfaces and processes with it.
end_first_process() {
	local pid
	pid=$(first_process) || return 0
	kill -s KILL "$pid"
	gone() { ! first_process >/dev/null; }
	wait_for 20 gone || die "process $pid, the first of '$name', does not end"
}

# end_strays: a first process that the pid file does not know, because somebody deleted the state folder under it.
end_strays() {
	local file words
	for file in /proc/[0-9]*/cmdline; do
		# Processes end while we look.
		mapfile -d '' words 2>/dev/null <"$file" || continue
		[ ${#words[@]} -ge 2 ] || continue
		if [ "${words[-2]}" = init ] && [ "${words[-1]}" = "$state" ]; then
			file=${file%/cmdline}
			kill -s KILL "${file#/proc/}" || :
		fi
	done
}

# remove_base: what the instances share goes with the last of them.
remove_base() {
	! compgen -G "$base/*/lock" >/dev/null || return 0
	rm -f "$base/oci-runtime" "$base/oci-runtime.source" "$base/mount-points"
	rmdir "$base" 2>/dev/null || :
}
