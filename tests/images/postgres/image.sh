# shellcheck shell=bash disable=SC2034,SC2154
# Variables, ports, paths and refusals of the official image. An initialised cluster is kept in the image, which saves
# initdb's two seconds at each start.
names=(postgres:15)
base=debian:bookworm
packages=(postgresql-15 locales)
changes=('ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' 'EXPOSE 5432'
	'VOLUME /var/lib/postgresql/data' 'ENV LANG=en_US.utf8' 'ENV PG_MAJOR=15' 'ENV PGDATA=/var/lib/postgresql/data'
	'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin')
options=(--stop-signal SIGINT)
