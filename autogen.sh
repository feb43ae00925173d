#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes ./configure from configure.ac.  Needs autoconf, automake, libtool.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake libtoolize; do
	command -v "$tool" >/dev/null || { echo "autogen.sh: $tool is missing: apt-get install autoconf automake libtool" >&2; exit 1; }
done
mkdir -p m4 # aclocal asks for it before libtoolize has put anything there
exec autoreconf --force --install --warnings=all,no-obsolete,no-portability
