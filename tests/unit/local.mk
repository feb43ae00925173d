# SPDX-License-Identifier: BSD-2-Clause
# the receiver
check_PROGRAMS += tests/unit/test_timer tests/unit/test_loop
TESTS += tests/unit/test_timer tests/unit/test_loop
tests_unit_test_timer_SOURCES = tests/unit/test_timer.c tests/unit/unit.h
tests_unit_test_timer_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_timer_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c tests/unit/unit.h
tests_unit_test_loop_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_loop_LDADD = libkernel.la $(CUNIT_LIBS)
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
check_PROGRAMS += tests/unit/test_table_plan tests/unit/test_channel tests/unit/test_delivery
TESTS += tests/unit/test_table_plan tests/unit/test_channel tests/unit/test_delivery
tests_unit_test_table_plan_SOURCES = tests/unit/test_table_plan.c tests/unit/unit.h
tests_unit_test_table_plan_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_table_plan_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_channel_SOURCES = tests/unit/test_channel.c tests/unit/unit.h
tests_unit_test_channel_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_channel_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c tests/unit/unit.h
tests_unit_test_delivery_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_delivery_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_dsn
TESTS += tests/unit/test_dsn
tests_unit_test_dsn_SOURCES = tests/unit/test_dsn.c tests/unit/unit.h
tests_unit_test_dsn_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_dsn_LDADD = libpure.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_spool_qf
TESTS += tests/unit/test_spool_qf
tests_unit_test_spool_qf_SOURCES = tests/unit/test_spool_qf.c modules/stores/spool/qf_write.c modules/stores/spool/qf_read.c \
	tests/unit/unit.h
tests_unit_test_spool_qf_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_spool_qf_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_plan
TESTS += tests/unit/test_plan
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/unit/unit.h
tests_unit_test_plan_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plan_LDADD = libpure.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_smtp
TESTS += tests/unit/test_mailer_smtp
tests_unit_test_mailer_smtp_SOURCES = tests/unit/test_mailer_smtp.c tests/unit/fake_server.c tests/unit/fake_server.h tests/unit/unit.h \
	$(smtp_mailer_sources)
tests_unit_test_mailer_smtp_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_smtp_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_dns
TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c tests/unit/unit.h
tests_unit_test_dns_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) -DSOURCE_DIR='"$(abs_top_srcdir)"'
tests_unit_test_dns_LDADD = libkernel.la $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/test_dns.zone
# the header of a message
check_PROGRAMS += tests/unit/test_header
TESTS += tests/unit/test_header
tests_unit_test_header_SOURCES = tests/unit/test_header.c tests/unit/unit.h
tests_unit_test_header_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_header_LDADD = libpure.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_courier
TESTS += tests/unit/test_courier
tests_unit_test_courier_SOURCES = tests/unit/test_courier.c tests/unit/unit.h
tests_unit_test_courier_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) -DBUILD_DIR='"$(abs_top_builddir)"'
tests_unit_test_courier_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_courier_LDFLAGS = $(AM_LDFLAGS) -dlpreopen force
