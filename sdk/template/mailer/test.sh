#!/bin/sh
# One message through the module, and one that must wait.
set -e
module=.libs/@NAME@.so
file=$(pwd)/test.mbox
rm -f "$file"
printf 'Subject: one\n\nbody\n' | "$POSTRIDER_MODULE" deliver $module joe@example.org "file=$file"
grep -q '^Subject: one$' "$file"
grep -q '^body$' "$file"
rm -f "$file"
# EX_TEMPFAIL: the directory is not there, so mail waits
status=0; printf 'Subject: two\n\n' | "$POSTRIDER_MODULE" deliver $module joe@example.org file=/nowhere/x || status=$?
test $status = 75
! "$POSTRIDER_MODULE" check $module
