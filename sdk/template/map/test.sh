#!/bin/sh
# The module as its users will meet it: loaded, checked, asked.
set -e
module=.libs/@NAME@.so
"$POSTRIDER_MODULE" check $module
test "$("$POSTRIDER_MODULE" lookup $module world)" = "hello, world"
test "$("$POSTRIDER_MODULE" lookup $module world greeting=bye)" = "bye, world"
# not there is 1, and it is no failure
status=0; "$POSTRIDER_MODULE" lookup $module "" || status=$?
test $status = 1
# what makes no sense is refused before it runs
! "$POSTRIDER_MODULE" check $module greeting=
! "$POSTRIDER_MODULE" check $module greting=x
