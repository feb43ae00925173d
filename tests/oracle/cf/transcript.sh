#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# transcript.sh ORACLE_SCRIPTS NAME...: makes tests/unit/data/cf/NAME.bt anew: its own ">>> command" lines, answered by the real sendmail
# of the oracle (ORACLE_DIR, set up with its setup.sh).  A new transcript begins as a file of ">>> command" lines.
set -e
scripts=$(cd "${1:?usage: transcript.sh ORACLE_SCRIPTS NAME...}" && pwd)
data=$(cd "$(dirname "$0")/../../unit/data/cf" && pwd)
shift
export ORACLE_DIR=${ORACLE_DIR:-/tmp/oracle}
work=$(mktemp -d "$HOME/transcript-XXXXXX") # sendmail trusts no table below a directory that all may write
trap 'rm -r "$work"' EXIT
cp "$data"/*.txt "$work"
for name; do
	sed "s|@DATA@|$work|g" "$data/$name.cf" > "$work/$name.cf"
	chmod 644 "$work"/*
	sed -n 's/^>>> //p' "$data/$name.bt" | "$scripts/bt.sh" "$work/$name.cf" | sed -n "s|$work|@DATA@|g; /^>>> /,\$p" > "$work/answers"
	cp "$work/answers" "$data/$name.bt"
done
