# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/oracle/queue tests/oracle/receipts tests/oracle/tools tests/oracle/limits tests/oracle/cf/compare tests/oracle/cf/answers tests/oracle/cf/diagnostics tests/oracle/cf/daemons
EXTRA_DIST += tests/oracle/queue tests/oracle/receipts tests/oracle/tools tests/oracle/limits tests/oracle/exchange.py tests/oracle/sendmail.py
# classes from maps, files that others may write to, what mailers get
TESTS += tests/oracle/cf/classes tests/oracle/cf/unsafe tests/oracle/mailers
EXTRA_DIST += tests/oracle/mailers tests/oracle/mailers.tsv
TESTS += tests/oracle/tls tests/oracle/sts tests/oracle/auth tests/oracle/mx tests/oracle/notices tests/oracle/runs
EXTRA_DIST += tests/oracle/tls tests/oracle/sts tests/oracle/auth tests/oracle/mx tests/oracle/notices tests/oracle/runs
EXTRA_DIST += tests/oracle/cf/compare tests/oracle/cf/world.py tests/oracle/cf/ask.py tests/oracle/cf/streams.py tests/oracle/cf/differs.tsv \
	tests/oracle/cf/features.py tests/oracle/cf/addresses.txt tests/oracle/cf/zone.txt $(wildcard $(srcdir)/tests/oracle/cf/*.mc) $(wildcard $(srcdir)/tests/oracle/cf/tables/*)
# the rule engine's judge by transcripts, by broken configurations and by a corpus from elsewhere
EXTRA_DIST += tests/oracle/cf/unsafe tests/oracle/cf/unsafe.tsv tests/oracle/cf/classes tests/oracle/cf/classes.tsv tests/oracle/cf/answers tests/oracle/cf/diagnostics tests/oracle/cf/corpus tests/oracle/cf/judge.py tests/oracle/cf/candidate.py \
	tests/oracle/cf/broken.py tests/oracle/cf/diagnostics.txt tests/oracle/cf/answers.tsv tests/oracle/cf/diagnostics.tsv tests/oracle/cf/corpus.tsv \
	tests/oracle/cf/nothing.tsv $(wildcard $(srcdir)/tests/oracle/cf/broken/*.cf) $(wildcard $(srcdir)/tests/oracle/cf/transcripts/*)
# the daemon's dialogue at every hook, option and extension
TESTS += tests/oracle/server/compare
EXTRA_DIST += tests/oracle/server/compare tests/oracle/server/sessions.py tests/oracle/server/hooks.cf
# two daemons on one sendmail.cf
EXTRA_DIST += tests/oracle/cf/daemons tests/oracle/cf/theatre.py tests/oracle/cf/plays.py tests/oracle/cf/sessions.py tests/oracle/cf/hooks.py tests/oracle/cf/daemons.zone tests/oracle/cf/daemons.tsv
TESTS += tests/oracle/server/secure tests/oracle/server/submission
EXTRA_DIST += tests/oracle/server/secure tests/oracle/server/submission
# testssl.sh as a judge of what the server says to the TLS library
TESTS += tests/oracle/testssl
EXTRA_DIST += tests/oracle/testssl
# what becomes of eight bits
TESTS += tests/oracle/mime/compare
EXTRA_DIST += tests/oracle/mime/compare tests/oracle/mime/letters.py tests/oracle/mime/differs.tsv
# Debian's Postfix, Exim and sendmail as neighbours
TESTS += tests/oracle/peers tests/oracle/peer_logins
EXTRA_DIST += tests/oracle/peers tests/oracle/peer_logins tests/oracle/peer_stage.py tests/oracle/peer_programs.py
# what a next host may say, and what follows
TESTS += tests/oracle/client tests/oracle/sources
EXTRA_DIST += tests/oracle/client tests/oracle/sources
