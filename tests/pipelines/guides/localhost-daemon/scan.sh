#!/bin/sh
# SCANNER ADDRESS REPORT IMAGE: what the downloaded scanner does. It serves the image's layers at ADDRESS, the scanner's
# container fetches them from there, and the report comes back.
set -e
docker save "$4" | sha256sum > layers.txt
mkdir -p served && cp layers.txt served/
busybox httpd -p "$2:9279" -h served
docker exec scanner busybox wget -q -O /www/seen "http://$2:9279/layers.txt"
wget -q -O seen "$1/seen"
cmp seen layers.txt
docker exec scanner busybox nc -w 1 postgres 5432
echo '{"image": "'"$4"'", "vulnerabilities": ["made up"]}' > "$3"
echo "1 vulnerability in $4"
