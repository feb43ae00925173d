# SPDX-License-Identifier: BSD-2-Clause
rules_LTLIBRARIES += routes.la
routes_la_SOURCES = modules/rules/routes/access.c modules/rules/routes/canonical.c modules/rules/routes/check.c \
	modules/rules/routes/console.c modules/rules/routes/generics.c modules/rules/routes/luser.c modules/rules/routes/mailertable.c \
	modules/rules/routes/masquerade.c modules/rules/routes/names.c modules/rules/routes/names.h modules/rules/routes/relay.c \
	modules/rules/routes/resolve.c modules/rules/routes/routes.c modules/rules/routes/routes.h modules/rules/routes/sender.c \
	modules/rules/routes/table.c modules/rules/routes/virtual.c
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
EXTRA_DIST += tests/unit/data/routes/resolve.tsv tests/unit/data/routes/rewrite.tsv tests/unit/data/routes/smart.tsv \
	tests/unit/data/routes/verdicts.tsv tests/unit/data/routes/world.txt
EXTRA_DIST += tests/oracle/routes/addresses.txt tests/oracle/routes/differs.tsv tests/oracle/routes/make.sh tests/oracle/routes/routes.mc \
	tests/oracle/routes/senders.txt tests/oracle/routes/tables.py tests/oracle/routes/verdicts.py
man_MANS += modules/rules/routes/postrider-routes.5
EXTRA_DIST += modules/rules/routes/postrider-routes.5
