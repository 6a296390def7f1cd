#!/bin/bash
# Prepares PGDATA as the variables POSTGRES_* say, once, and becomes the server. Any other command is run as it is.
set -euo pipefail

template=/var/lib/postgresql/template

# from_file NAME: NAME_FILE may hold the name of a file with the value.
from_file() {
	local variable=$1 file=${1}_FILE
	[ -z "${!file-}" ] || {
		[ -z "${!variable-}" ] || {
			echo "error: both $variable and $file are set, but only one may be" >&2
			exit 1
		}
		printf -v "$variable" %s "$(<"${!file}")"
		unset "$file"
	}
}

check_password() {
	if [ -z "${POSTGRES_PASSWORD-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD-}" != trust ]; then
		cat >&2 <<-END
			Error: Database is uninitialized and superuser password is not specified.
			       Set POSTGRES_PASSWORD to a non-empty value, or let every connection in without a
			       password by POSTGRES_HOST_AUTH_METHOD=trust (not recommended).
		END
		exit 1
	fi
}

# quoted TEXT: a string constant of SQL. named TEXT: an identifier.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }
named() { printf '"%s"' "${1//\"/\"\"}"; }

# alone: statements from stdin, run by a server of one user without network. -F: nothing of it needs to survive a power
# cut yet.
alone() { postgres --single -F -j -D "$PGDATA" -c log_checkpoints=off -c exit_on_error=on postgres >/dev/null; }

create_cluster() {
	local rename=
	if [ -z "${POSTGRES_INITDB_ARGS-}${POSTGRES_INITDB_WALDIR-}" ]; then
		cp -a "$template/." "$PGDATA"
		# A superuser of another name: the one initdb made is renamed, which no session of its own may do by ALTER.
		[ "$POSTGRES_USER" = postgres ] || rename="UPDATE pg_authid SET rolname = $(quoted "$POSTGRES_USER") WHERE oid = 10"
	else
		eval "initdb --username=$(printf %q "$POSTGRES_USER") ${POSTGRES_INITDB_WALDIR:+--waldir $(printf %q "$POSTGRES_INITDB_WALDIR")} ${POSTGRES_INITDB_ARGS-}"
	fi
	printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
	{
		[ -z "$rename" ] || printf '%s;\n\n' "$rename"
		[ -z "${POSTGRES_PASSWORD-}" ] || printf 'ALTER ROLE %s PASSWORD %s;\n\n' "$(named "$POSTGRES_USER")" "$(quoted "$POSTGRES_PASSWORD")"
		case $POSTGRES_DB in
		postgres | template0 | template1) ;;
		*) printf 'CREATE DATABASE %s;\n\n' "$(named "$POSTGRES_DB")" ;;
		esac
	} | alone
}

# Files an image built on this one brought along, against a server that only this container reaches.
run_scripts() {
	local file
	compgen -G '/docker-entrypoint-initdb.d/*' >/dev/null || return 0
	PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
	for file in /docker-entrypoint-initdb.d/*; do
		echo "$0: running $file"
		case $file in
		*.sh)
			if [ -x "$file" ]; then
				"$file"
			else
				# shellcheck source=/dev/null
				. "$file"
			fi
			;;
		*.sql) sql <"$file" ;;
		*.sql.gz) gunzip -c "$file" | sql ;;
		*) echo "$0: ignoring $file" ;;
		esac
	done
	PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
}

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"; }

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown postgres:postgres /run/postgresql
	find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
	exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	for variable in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$variable"; done
	: "${POSTGRES_USER:=postgres}"
	: "${POSTGRES_DB:=$POSTGRES_USER}"
	check_password
	[ -z "$(ls -A "$PGDATA")" ] || {
		echo "error: $PGDATA is not empty and holds no database" >&2
		exit 1
	}
	create_cluster
	run_scripts
	echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
