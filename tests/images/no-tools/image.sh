# shellcheck shell=bash disable=SC2034,SC2154
# As the debug variants of distroless images: a shell where the runner looks last, and no tool beside it.
names=(berth/no-tools:latest)
pull=no
changes=('ENV PATH=/busybox')

rootfs() {
	need_programs cc=gcc /bin/busybox=busybox-static
	mkdir "$1/busybox"
	cp /bin/busybox "$1/busybox/sh"
	cc -static -Os -s -Wall -Wextra -o "$1/family" "$folder/family.c"
}
