# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/oracle/queue tests/oracle/cf/compare
EXTRA_DIST += tests/oracle/queue tests/oracle/exchange.py tests/oracle/sendmail.py
EXTRA_DIST += tests/oracle/cf/compare tests/oracle/cf/world.py tests/oracle/cf/ask.py tests/oracle/cf/streams.py tests/oracle/cf/differs.tsv \
	tests/oracle/cf/addresses.txt tests/oracle/cf/zone.txt $(wildcard $(srcdir)/tests/oracle/cf/*.mc) $(wildcard $(srcdir)/tests/oracle/cf/tables/*)
