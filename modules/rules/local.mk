# SPDX-License-Identifier: BSD-2-Clause
rules_LTLIBRARIES += routes.la
routes_la_SOURCES = modules/rules/routes/access.c modules/rules/routes/canonical.c modules/rules/routes/certificate.c modules/rules/routes/check.c \
	modules/rules/routes/console.c modules/rules/routes/explain.c modules/rules/routes/generics.c modules/rules/routes/luser.c modules/rules/routes/mailertable.c \
	modules/rules/routes/login.c modules/rules/routes/masquerade.c modules/rules/routes/names.c modules/rules/routes/names.h modules/rules/routes/relay.c \
	modules/rules/routes/resolve.c modules/rules/routes/routes.c modules/rules/routes/routes.h modules/rules/routes/sender.c \
	modules/rules/routes/requirement.c modules/rules/routes/server.c modules/rules/routes/table.c modules/rules/routes/virtual.c
routes_la_CPPFLAGS = $(SDK_CPPFLAGS)
routes_la_LDFLAGS = $(MODULE_LINK)
routes_la_LIBADD = libpostrider.la
# the rule engine routes, its sources linked in, in a world of text
check_PROGRAMS += tests/unit/test_routes
TESTS += tests/unit/test_routes
tests_unit_test_routes_SOURCES = tests/unit/test_routes.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h \
	$(routes_la_SOURCES)
tests_unit_test_routes_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_routes_LDADD = libpure.la libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_routes_server
TESTS += tests/unit/test_routes_server
tests_unit_test_routes_server_SOURCES = tests/unit/test_routes_server.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h \
	$(routes_la_SOURCES)
tests_unit_test_routes_server_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_routes_server_LDADD = libpure.la libpostrider.la $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/data/routes/resolve.tsv tests/unit/data/routes/rewrite.tsv tests/unit/data/routes/smart.tsv \
	tests/unit/data/routes/verdicts.tsv tests/unit/data/routes/world.txt
EXTRA_DIST += tests/oracle/routes/addresses.txt tests/oracle/routes/differs.tsv tests/oracle/routes/make.sh tests/oracle/routes/routes.mc \
	tests/oracle/routes/senders.txt tests/oracle/routes/tables.py tests/oracle/routes/verdicts.py
man_MANS += modules/rules/routes/postrider-routes.5
EXTRA_DIST += modules/rules/routes/postrider-routes.5
rules_LTLIBRARIES += cf.la
cf_la_SOURCES = modules/rules/cf/address.c modules/rules/cf/address.h modules/rules/cf/apply.c modules/rules/cf/cf.h \
	modules/rules/cf/check.c modules/rules/cf/code.c modules/rules/cf/code.h modules/rules/cf/compile.c modules/rules/cf/console.c \
	modules/rules/cf/console.h modules/rules/cf/console_sets.c modules/rules/cf/console_show.c modules/rules/cf/console_slash.c \
	modules/rules/cf/crack.c modules/rules/cf/crack.h modules/rules/cf/debug.c modules/rules/cf/defaults.c modules/rules/cf/engine.c modules/rules/cf/expand.c \
	modules/rules/cf/feature.c modules/rules/cf/from_domain.c modules/rules/cf/headers.c modules/rules/cf/hooks.c modules/rules/cf/hooks.h modules/rules/cf/join.c modules/rules/cf/join.h modules/rules/cf/map.c \
	modules/rules/cf/judge.h modules/rules/cf/judge_equate.c modules/rules/cf/judge_flags.c modules/rules/cf/judge_map.c modules/rules/cf/judge_option.c \
	modules/rules/cf/judge_port.c modules/rules/cf/judge_time.c modules/rules/cf/judge_words.c modules/rules/cf/match.c modules/rules/cf/altnames.c modules/rules/cf/names.c modules/rules/cf/names.h modules/rules/cf/phrase.c modules/rules/cf/phrase.h \
	modules/rules/cf/read.c modules/rules/cf/read_class_file.c modules/rules/cf/read_class_map.c modules/rules/cf/read_header.c modules/rules/cf/read_mailer.c \
	modules/rules/cf/read_map.c modules/rules/cf/read_option.c modules/rules/cf/read_set.c modules/rules/cf/rewrite.c \
	modules/rules/cf/run.c modules/rules/cf/scan.c modules/rules/cf/steps.c modules/rules/cf/symbols.c modules/rules/cf/sysexit.c modules/rules/cf/token.c modules/rules/cf/token.h \
	modules/rules/cf/verdict.c
cf_la_CPPFLAGS = $(SDK_CPPFLAGS)
cf_la_LDFLAGS = $(MODULE_LINK)
cf_la_LIBADD = libpostrider.la
# the rule engine cf: its sources with a stage, for several test programs
check_LTLIBRARIES += libcfstage.la
libcfstage_la_SOURCES = $(cf_la_SOURCES) tests/unit/cf_stage.c tests/unit/cf_stage.h tests/unit/fake_host.c tests/unit/fake_host.h
libcfstage_la_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
libcfstage_la_LIBADD = libpostrider.la
cf_tests = tests/unit/test_cf_console tests/unit/test_cf_hooks tests/unit/test_cf_read tests/unit/test_cf_text tests/unit/test_cf_transcript tests/unit/test_cf_threads
check_PROGRAMS += $(cf_tests)
TESTS += $(cf_tests)
tests_unit_test_cf_console_SOURCES = tests/unit/test_cf_console.c tests/unit/unit.h
tests_unit_test_cf_console_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_console_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/data/cf/broken.cf tests/unit/data/cf/broken.out tests/unit/data/cf/rewrite.cf tests/unit/data/cf/rewrite.bt tests/unit/data/cf/colors.txt tests/oracle/cf/transcript.sh
tests_unit_test_cf_hooks_SOURCES = tests/unit/test_cf_hooks.c tests/unit/unit.h
tests_unit_test_cf_hooks_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_hooks_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
tests_unit_test_cf_read_SOURCES = tests/unit/test_cf_read.c tests/unit/unit.h
tests_unit_test_cf_read_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_read_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
tests_unit_test_cf_text_SOURCES = tests/unit/test_cf_text.c tests/unit/unit.h
tests_unit_test_cf_text_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_text_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
# wrong files, and what the real sendmail says of them
TESTS += tests/unit/cf_broken.py
EXTRA_DIST += tests/unit/cf_broken.py $(wildcard $(srcdir)/tests/unit/data/cf/wrong/*.cf) $(wildcard $(srcdir)/tests/unit/data/cf/wrong/*.txt)
man_MANS += modules/rules/cf/postrider-cf.5
EXTRA_DIST += modules/rules/cf/postrider-cf.5
tests_unit_test_cf_transcript_SOURCES = tests/unit/test_cf_transcript.c tests/unit/unit.h
tests_unit_test_cf_transcript_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_transcript_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
EXTRA_DIST += tests/oracle/cf/renew.sh tests/unit/data/cf/README.md tests/unit/data/cf/table \
	$(foreach name,apply lookup mail match scan,tests/unit/data/cf/$(name).cf tests/unit/data/cf/$(name).out)
tests_unit_test_cf_threads_SOURCES = tests/unit/test_cf_threads.c tests/unit/unit.h
tests_unit_test_cf_threads_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_cf_threads_LDFLAGS = $(AM_LDFLAGS) -static -Wl,--wrap=pr_alloc,--wrap=pr_resize,--wrap=pr_copy_str
tests_unit_test_cf_threads_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
