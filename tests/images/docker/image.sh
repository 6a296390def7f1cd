# shellcheck shell=bash disable=SC2034,SC2154
# The client, as jobs use it beside a docker:dind service. The official image is made of BusyBox: so are the shell and
# the tools that scripts trip over here.
names=(docker:latest docker:cli)
base=debian:bookworm
packages=(busybox ca-certificates git openssh-client wget)
changes=('ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["sh"]' 'ENV DOCKER_TLS_CERTDIR=/certs')
