#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make.sh ORACLE_SCRIPTS [NAME...]: makes expected/*.txt anew with the real sendmail of the oracle (ORACLE_DIR, set up with its
# setup.sh; its name server must know the ZONE of stage.py, as the oracle's own zone does).  Only what hosts got ends up here.
set -e
scripts=$(cd "${1:?usage: make.sh ORACLE_SCRIPTS [NAME...]}" && pwd); shift
here=$(cd "$(dirname "$0")" && pwd); work=$(mktemp -d); chmod 755 "$work"; export ORACLE_DIR=${ORACLE_DIR:-/tmp/oracle}
trap 'rm -rf "$work"' EXIT
python3 -c 'import sys; sys.path[:0] = [sys.argv[1], sys.argv[1] + "/../../story"]; import stage
for name, value in stage.ALIASES.items(): print(name + ": " + value.replace("USER", "alice"))' "$here" > "$work/aliases"
: > "$work/local-host-names"; : > "$work/trusted-users"
"$scripts/mc2cf.sh" "$here/dsn.mc" > "$work/dsn.cf"
"$scripts/ns.sh" exec sh -ec 'd=/etc/mail/oracle/dsn; rm -rf $d; mkdir -p $d; cp $1/* $d/; chmod 644 $d/*
	sendmail -bi -C $d/dsn.cf' sh "$work"
mkdir -p "$here/expected"
"$scripts/ns.sh" exec env TZ=UTC PYTHONDONTWRITEBYTECODE=1 python3 "$here/make.py" /etc/mail/oracle/dsn/dsn.cf "$here/expected" "$@"
