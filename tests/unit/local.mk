# SPDX-License-Identifier: BSD-2-Clause

# any store module against its contract: STORE_MODULE=path tests/unit/test_store_conformance
check_PROGRAMS += tests/unit/test_store_conformance
TESTS += tests/unit/test_store_conformance
tests_unit_test_store_conformance_SOURCES = tests/unit/test_store_conformance.c tests/unit/store_harness.c \
	tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_store_conformance_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_store_conformance_LDADD = libpostrider.la $(CUNIT_LIBS)
