# shellcheck shell=bash disable=SC2034,SC2154
# What runner-config/kubernetes/Dockerfile takes the runner from.
names=(gitlab/gitlab-runner:v19.4.0)
