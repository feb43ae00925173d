#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make.sh ORACLE_SCRIPTS: makes tests/unit/data/routes/*.tsv anew with the real sendmail of the oracle (ORACLE_DIR, set up with
# its setup.sh).  The tables come from tests/unit/data/routes/world.txt; only data ends up in the repository.
set -e
scripts=$(cd "${1:?usage: make.sh ORACLE_SCRIPTS}" && pwd); here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../unit/data/routes; work=$(mktemp -d); chmod 755 "$work"; export ORACLE_DIR=${ORACLE_DIR:-/tmp/oracle}
for map in access virtusertable mailertable genericstable domaintable; do
	sed -n "s/^map $map //p" "$data/world.txt" > "$work/$map"
done
sed -n 's/^map aliases //p' "$data/world.txt" | sed 's/^\([^\t]*\)\t/"\1": /' > "$work/aliases"
printf '%s\n' corp.example www.corp.example lists.example corp2.example > "$work/local-host-names"
printf '%s\n' relayed.example 192.0.2 > "$work/relay-domains"
printf '%s\n' alice 'bob@remote.example, carol' > "$work/list.txt"
: > "$work/trusted-users"
"$scripts/mc2cf.sh" "$here/routes.mc" > "$work/routes.cf"
sed "/masquerade_envelope/d; s/^VERSIONID.*/define(\`SMART_HOST', \`relay:[smart.isp.example]')dnl/" "$here/routes.mc" > "$work/smart.mc"
"$scripts/mc2cf.sh" "$work/smart.mc" > "$work/smart.cf"
"$scripts/ns.sh" exec sh -ec 'd=/etc/mail/oracle/routes; rm -rf $d; mkdir -p $d; cp $1/* $d/; cd $d
	for m in access virtusertable mailertable genericstable domaintable; do makemap hash $m < $m; done
	chmod 644 *; sendmail -bi -oA$d/aliases -C /etc/mail/sendmail.cf' sh "$work"
"$scripts/daemon.sh" stop; "$scripts/daemon.sh" start 2525 "$work/routes.cf"; sleep 1
"$scripts/ns.sh" exec python3 "$here/verdicts.py" > "$work/verdicts.raw"
python3 "$here/tables.py" "$scripts" "$work" "$data"
"$scripts/daemon.sh" stop
rm -rf "$work"
wc -l "$data"/*.tsv
