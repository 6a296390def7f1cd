# shellcheck shell=sh
# The package holds the daemon too: only the client is taken out of it.
cd /tmp || exit
apt-get download -qq docker.io
dpkg-deb --fsys-tarfile docker.io_*.deb | tar -C / -x ./usr/bin/docker
rm docker.io_*.deb
install -d -m 1777 /certs /certs/client
for applet in base64 hostname nc sed sh sha256sum; do ln -s /bin/busybox "/usr/local/bin/$applet"; done
ln -sf busybox /bin/sh
