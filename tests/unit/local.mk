# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += tests/unit/test_sendmail
TESTS += tests/unit/test_sendmail
tests_unit_test_sendmail_SOURCES = tests/unit/test_sendmail.c tests/unit/unit.h
tests_unit_test_sendmail_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_sendmail_LDADD = libkernel.la $(CUNIT_LIBS)
