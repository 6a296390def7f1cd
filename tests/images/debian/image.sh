# shellcheck shell=bash disable=SC2034,SC2154
names=("debian:$suite")
changes=('CMD ["bash"]' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')

rootfs() { debian_base "$1.tar"; }
