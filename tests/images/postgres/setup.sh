# shellcheck shell=sh
PATH=$PATH:/usr/lib/postgresql/15/bin
# Clusters that run no images as root name the official image's user by these numbers.
old=$(id -u postgres):$(id -g postgres)
groupmod -g 999 postgres
usermod -u 999 -g 999 postgres
find / -xdev \( -uid "${old%:*}" -o -gid "${old#*:}" \) -exec chown -h postgres:postgres {} +
localedef -i en_US -c -f UTF-8 en_US.UTF-8
sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" /usr/share/postgresql/15/postgresql.conf.sample
# Just-in-time compilation is a third of the package and optional to the server.
rm -rf /usr/lib/postgresql/15/lib/bitcode /usr/lib/postgresql/15/lib/llvmjit* /usr/lib/x86_64-linux-gnu/libLLVM* /usr/lib/aarch64-linux-gnu/libLLVM*
install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data
install -d -o postgres -g postgres -m 3775 /run/postgresql
install -d /docker-entrypoint-initdb.d
LANG=en_US.utf8 setpriv --reuid=postgres --regid=postgres --init-groups \
	initdb --no-sync --username=postgres --pgdata=/var/lib/postgresql/template
