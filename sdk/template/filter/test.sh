#!/bin/sh
# A good message, a bad one, and a configuration that makes no sense.
set -e
module=.libs/@NAME@.so
printf 'Subject: lunch\n\nbody\n' | "$POSTRIDER_MODULE" deliver $module joe@example.org word=lottery | grep -q '^header_add X-@NAME@: passed$'
status=0; printf 'Subject: Lottery!\n\nbody\n' | "$POSTRIDER_MODULE" deliver $module joe@example.org word=lottery || status=$?
test $status = 69
! "$POSTRIDER_MODULE" check $module
