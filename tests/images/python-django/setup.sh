# shellcheck shell=sh
ln -s python3 /usr/bin/python
# The byte code that the packages' own scripts made is there already; a first import must not need to write any.
python3 -c 'import django, psycopg2, xmlrunner'
