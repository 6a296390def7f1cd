# shellcheck shell=bash disable=SC2034,SC2154
# An image whose user is not root, who can write nowhere but at home and in /tmp.
names=(berth/nonroot:latest)
base=debian:bookworm
pull=no
changes=('USER app' 'WORKDIR /home/app' 'CMD ["bash"]')
