# shellcheck shell=bash disable=SC2034,SC2154
# What the polls example needs, so that its jobs install nothing. Not called python:3.11: that one has no Django.
# No entrypoint, as in the official Python image.
names=(berth/python-django:3.11)
base=debian:bookworm
pull=no
packages=(python3 python3-django python3-psycopg2 python3-xmlrunner)
changes=('CMD ["python3"]' 'ENV PYTHONUNBUFFERED=1')
