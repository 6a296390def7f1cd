#!/bin/sh
# Run inside: nothing of the job's environment is here.
test -z "$CI_JOB_ID" || { echo "the job's variables have come along"; exit 1; }
test -e /code/index.html || exit 1
echo "1 passed" > /reports/result.txt
echo "1 passed"
