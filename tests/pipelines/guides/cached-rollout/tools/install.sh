#!/bin/sh
# What pip would do, from no index.
if [ -e venv/greetings.py ]; then
	echo "greetings 1.0 is there already"
else
	mkdir -p venv && echo 'WORD = "hello"' > venv/greetings.py && echo "installed greetings 1.0"
fi
