# shellcheck shell=sh
useradd --uid 1000 --create-home --shell /bin/bash app
