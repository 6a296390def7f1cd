# shellcheck shell=sh
# Byte code beside the sources halves the start time; git-lfs as the official image has it.
python3 -m compileall -q /usr/lib/gitlab-runner-helper
git lfs install --skip-repo --system
