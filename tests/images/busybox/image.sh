# shellcheck shell=bash disable=SC2034,SC2154
# BusyBox alone: ash, the shell that Alpine's images have too.
names=(busybox:latest)
changes=('CMD ["sh"]' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')

rootfs() {
	need_programs /bin/busybox=busybox-static
	mkdir -p "$1"/{bin,dev,etc,home,proc,root,sys,tmp,usr/bin,usr/sbin,var/spool/mail}
	chmod 1777 "$1/tmp"
	chmod 700 "$1/root"
	cp /bin/busybox "$1/bin/busybox"
	"$1/bin/busybox" --list | grep -vx busybox | while read -r applet; do ln -s busybox "$1/bin/$applet"; done
	# What many scripts ask for by its full path.
	ln -s ../../bin/env "$1/usr/bin/env"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/home:/bin/false >"$1/etc/passwd"
	printf '%s\n' root:x:0: nobody:x:65534: >"$1/etc/group"
}
