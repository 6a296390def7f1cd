# shellcheck shell=bash disable=SC2034,SC2154
# Laid out as the official helper: no `gitlab-runner` link, dumb-init and an entrypoint in front, a shell as command.
helper=registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper
names=("$helper:$arch-v19.4.0" "$helper:$arch-latest")
base=debian:bookworm
packages=(ca-certificates git git-lfs dumb-init python3)
changes=('ENTRYPOINT ["/usr/bin/dumb-init", "/entrypoint"]' 'CMD ["sh"]')

rootfs() {
	mkdir -p "$1/usr/lib/gitlab-runner-helper" "$1/usr/bin"
	cp "$folder"/program/*.py "$1/usr/lib/gitlab-runner-helper"
	ln -s ../lib/gitlab-runner-helper/main.py "$1/usr/bin/gitlab-runner-helper"
}
