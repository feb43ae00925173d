#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tests/oracle/cf/renew.sh: asks a real sendmail for the answers in tests/unit/data/cf.
#
#   SENDMAIL_BT   a command that takes a configuration file, reads lines of -bt and prints ">>> LINE" and the answer for each, what was
#                 wrong with the file below "--- startup" in front
set -eu
top=$(CDPATH= cd -- "$(dirname -- "$0")/../../.." && pwd)
data=$top/tests/unit/data/cf
: "${SENDMAIL_BT:?names the command that runs sendmail -bt}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for out in "$data"/*.out; do
	name=$(basename "$out" .out)
	sed "s|/etc/mail/table|$data/table|" "$data/$name.cf" >"$scratch/$name.cf"
	sed -n 's/^>>> //p' "$out" >"$scratch/$name.bt"
	$SENDMAIL_BT "$scratch/$name.cf" <"$scratch/$name.bt" >"$scratch/$name.out" || true
	diff "$out" "$scratch/$name.out" >/dev/null || echo "$name.out differs"
	cp "$scratch/$name.out" "$out"
done
