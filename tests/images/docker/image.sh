# shellcheck shell=bash disable=SC2034,SC2154
# The client, as jobs use it beside a docker:dind service.
names=(docker:latest docker:cli)
base=debian:bookworm
packages=(ca-certificates git openssh-client)
changes=('ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["sh"]' 'ENV DOCKER_TLS_CERTDIR=/certs')
