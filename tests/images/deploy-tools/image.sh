# shellcheck shell=bash disable=SC2034,SC2154
# What jobs that deploy find in a cloud's image: kubectl, a Docker client, git, and a stand-in for the cloud's own
# command. The shell and its tools are BusyBox's, as in the small images that most of these are made of.
names=(berth/deploy-tools:latest)
base=docker:latest
pull=no
packages=(curl gettext-base kubernetes-client)
changes=('CMD ["sh"]')
