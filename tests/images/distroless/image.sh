# shellcheck shell=bash disable=SC2034,SC2154
# One static program and nothing else: no shell, no /etc, no /tmp. As the official image, without a command.
names=(gcr.io/distroless/static-debian12:latest)
changes=('ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')

rootfs() {
	need_programs cc=gcc
	cc -static -Os -s -o "$1/hello" "$folder/hello.c"
}
