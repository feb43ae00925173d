# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/route/expand.c kernel/route/expand.h kernel/route/member.c kernel/route/seen.c kernel/route/seen.h \
	kernel/route/walk.c kernel/route/walk.h

check_PROGRAMS += tests/unit/test_expand
TESTS += tests/unit/test_expand
tests_unit_test_expand_SOURCES = tests/unit/test_expand.c tests/unit/unit.h
tests_unit_test_expand_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_expand_LDADD = libpure.la libpostrider.la $(CUNIT_LIBS)
