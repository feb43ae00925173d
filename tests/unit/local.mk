# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += tests/unit/test_sendmail
TESTS += tests/unit/test_sendmail
tests_unit_test_sendmail_SOURCES = tests/unit/test_sendmail.c tests/unit/unit.h
tests_unit_test_sendmail_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_sendmail_LDADD = libkernel.la $(CUNIT_LIBS)
# the SDK
check_PROGRAMS += tests/unit/test_text
TESTS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/unit/unit.h
tests_unit_test_text_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_text_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_option
TESTS += tests/unit/test_option
tests_unit_test_option_SOURCES = tests/unit/test_option.c tests/unit/unit.h
tests_unit_test_option_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_option_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_address
TESTS += tests/unit/test_address
tests_unit_test_address_SOURCES = tests/unit/test_address.c tests/unit/unit.h
tests_unit_test_address_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_address_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_table
TESTS += tests/unit/test_table
tests_unit_test_table_SOURCES = tests/unit/test_table.c tests/unit/unit.h
tests_unit_test_table_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_table_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_envelope
TESTS += tests/unit/test_envelope
tests_unit_test_envelope_SOURCES = tests/unit/test_envelope.c tests/unit/unit.h
tests_unit_test_envelope_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_envelope_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_file
TESTS += tests/unit/test_file
tests_unit_test_file_SOURCES = tests/unit/test_file.c tests/unit/unit.h
tests_unit_test_file_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_file_LDADD = libpostrider.la $(CUNIT_LIBS)

# any store module against its contract: STORE_MODULE=path tests/unit/test_store_conformance
check_PROGRAMS += tests/unit/test_store_conformance
TESTS += tests/unit/test_store_conformance
tests_unit_test_store_conformance_SOURCES = tests/unit/test_store_conformance.c tests/unit/store_harness.c \
	tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_store_conformance_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_store_conformance_LDADD = libpostrider.la $(CUNIT_LIBS)
