# SPDX-License-Identifier: BSD-2-Clause
# the receiver
check_PROGRAMS += tests/unit/test_data_reader
TESTS += tests/unit/test_data_reader
tests_unit_test_data_reader_SOURCES = tests/unit/test_data_reader.c tests/unit/unit.h
tests_unit_test_data_reader_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_data_reader_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_timer tests/unit/test_loop
TESTS += tests/unit/test_timer tests/unit/test_loop
tests_unit_test_timer_SOURCES = tests/unit/test_timer.c tests/unit/unit.h
tests_unit_test_timer_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_timer_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c tests/unit/unit.h
tests_unit_test_loop_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_loop_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_log
TESTS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/unit.h
tests_unit_test_log_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_log_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_sendmail
TESTS += tests/unit/test_sendmail
tests_unit_test_sendmail_SOURCES = tests/unit/test_sendmail.c tests/unit/unit.h
tests_unit_test_sendmail_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_sendmail_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_proxy
TESTS += tests/unit/test_proxy
tests_unit_test_proxy_SOURCES = tests/unit/test_proxy.c tests/unit/unit.h
tests_unit_test_proxy_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_proxy_LDADD = libpure.la $(CUNIT_LIBS)
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

# every store module against its contract, and stores that break it
TESTS += tests/unit/store_conformance
EXTRA_DIST += tests/unit/store_conformance
check_PROGRAMS += tests/unit/test_table_plan tests/unit/test_channel tests/unit/test_delivery
TESTS += tests/unit/test_table_plan tests/unit/test_channel tests/unit/test_delivery
tests_unit_test_table_plan_SOURCES = tests/unit/test_table_plan.c tests/unit/unit.h
tests_unit_test_table_plan_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_table_plan_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_channel_SOURCES = tests/unit/test_channel.c tests/unit/unit.h
tests_unit_test_channel_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_channel_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c tests/unit/scratch.h tests/unit/unit.h
tests_unit_test_delivery_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_delivery_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_dsn
TESTS += tests/unit/test_dsn
tests_unit_test_dsn_SOURCES = tests/unit/test_dsn.c tests/unit/unit.h
tests_unit_test_dsn_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_dsn_LDADD = libpure.la $(CUNIT_LIBS)
mailq_samples = tests/unit/data/mailq/notR.expected \
	tests/unit/data/mailq/plain.expected \
	tests/unit/data/mailq/q.1/Qf6AKD2KgC000005 \
	tests/unit/data/mailq/q.1/hf6AKD2KgC000004 \
	tests/unit/data/mailq/q.1/qf6AKD2KgC000001 \
	tests/unit/data/mailq/q.1/qf6AKD2KgC000002 \
	tests/unit/data/mailq/q.1/qf6AKD2KgC000003 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000006 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000008 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000009 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000010 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000011 \
	tests/unit/data/mailq/q.2/qf6AKD2KgC000012 \
	tests/unit/data/mailq/qI.expected \
	tests/unit/data/mailq/qL.expected \
	tests/unit/data/mailq/qQ.expected \
	tests/unit/data/mailq/qR.expected \
	tests/unit/data/mailq/qS.expected \
	tests/unit/data/mailq/v.expected
TESTS += tests/unit/mailq.sh
EXTRA_DIST += tests/unit/mailq.sh tests/unit/mailq.qf $(mailq_samples)
check_PROGRAMS += tests/unit/test_spool
TESTS += tests/unit/test_spool
tests_unit_test_spool_SOURCES = tests/unit/test_spool.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_spool_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_spool_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_spool_places
TESTS += tests/unit/test_spool_places
tests_unit_test_spool_places_SOURCES = tests/unit/test_spool_places.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_spool_places_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_spool_places_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_journal
TESTS += tests/unit/test_journal
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c modules/stores/spool/journal_format.c modules/stores/spool/journal_crc.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_journal_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_journal_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_journal_error
TESTS += tests/unit/test_journal_error
tests_unit_test_journal_error_SOURCES = tests/unit/test_journal_error.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_journal_error_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_journal_error_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_journal_running
TESTS += tests/unit/test_journal_running
tests_unit_test_journal_running_SOURCES = tests/unit/test_journal_running.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_journal_running_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_journal_running_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_journal_large
TESTS += tests/unit/test_journal_large
tests_unit_test_journal_large_SOURCES = tests/unit/test_journal_large.c tests/unit/store_harness.c tests/unit/store_harness.h tests/unit/unit.h
tests_unit_test_journal_large_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_journal_large_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_spool_qf
TESTS += tests/unit/test_spool_qf
tests_unit_test_spool_qf_SOURCES = tests/unit/test_spool_qf.c modules/stores/spool/qf_write.c modules/stores/spool/qf_read.c modules/stores/spool/qf_read_recipient.c modules/stores/spool/qf_reader.h modules/stores/spool/qf_value.c \
	tests/unit/unit.h
tests_unit_test_spool_qf_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_spool_qf_LDADD = libpostrider.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_plan
TESTS += tests/unit/test_plan
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/unit/unit.h
tests_unit_test_plan_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plan_LDADD = libpure.la $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test_plan_fair
TESTS += tests/unit/test_plan_fair
tests_unit_test_plan_fair_SOURCES = tests/unit/test_plan_fair.c tests/unit/unit.h
tests_unit_test_plan_fair_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plan_fair_LDADD = libpure.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_smtp
TESTS += tests/unit/test_mailer_smtp
tests_unit_test_mailer_smtp_SOURCES = tests/unit/test_mailer_smtp.c tests/unit/mailer_fixture.h tests/unit/fake_server.c tests/unit/fake_server.h tests/unit/unit.h
tests_unit_test_mailer_smtp_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_smtp_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_route
TESTS += tests/unit/test_mailer_route
tests_unit_test_mailer_route_SOURCES = tests/unit/test_mailer_route.c tests/unit/unit.h
tests_unit_test_mailer_route_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_route_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_tls
TESTS += tests/unit/test_mailer_tls
tests_unit_test_mailer_tls_SOURCES = tests/unit/test_mailer_tls.c tests/unit/fake_server.c tests/unit/fake_server.h tests/unit/unit.h
tests_unit_test_mailer_tls_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_tls_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_auth
TESTS += tests/unit/test_mailer_auth
tests_unit_test_mailer_auth_SOURCES = tests/unit/test_mailer_auth.c tests/unit/fake_server.c tests/unit/fake_server.h tests/unit/unit.h
tests_unit_test_mailer_auth_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_auth_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_queue_progress
TESTS += tests/unit/test_queue_progress
tests_unit_test_queue_progress_SOURCES = tests/unit/test_queue_progress.c tests/unit/unit.h
tests_unit_test_queue_progress_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_queue_progress_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_auth
TESTS += tests/unit/test_auth
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c tests/unit/unit.h $(auth_map_sources)
tests_unit_test_auth_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_auth_LDADD = libpostrider.la $(OPENSSL_LIBS) -lcrypt $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_tls_server
TESTS += tests/unit/test_tls_server
tests_unit_test_tls_server_SOURCES = tests/unit/test_tls_server.c tests/unit/unit.h
tests_unit_test_tls_server_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_tls_server_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_tls
TESTS += tests/unit/test_tls
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c tests/unit/unit.h
tests_unit_test_tls_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_tls_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_dns
TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c tests/unit/unit.h
tests_unit_test_dns_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) -DSOURCE_DIR='"$(abs_top_srcdir)"'
tests_unit_test_dns_LDADD = libkernel.la $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/test_dns.zone
# the header of a message
check_PROGRAMS += tests/unit/test_mime
TESTS += tests/unit/test_mime
tests_unit_test_mime_SOURCES = tests/unit/test_mime.c tests/unit/unit.h
tests_unit_test_mime_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mime_LDADD = libpure.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_shape
TESTS += tests/unit/test_shape
tests_unit_test_shape_SOURCES = tests/unit/test_shape.c tests/unit/unit.h
tests_unit_test_shape_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_shape_LDADD = libpure.la $(CUNIT_LIBS)
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
check_PROGRAMS += tests/unit/test_feeder
TESTS += tests/unit/test_feeder
tests_unit_test_feeder_SOURCES = tests/unit/test_feeder.c tests/unit/scratch.h tests/unit/unit.h
tests_unit_test_feeder_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_feeder_LDADD = libkernel.la $(CUNIT_LIBS)
# configuration and modules
check_PROGRAMS += tests/unit/test_declare
TESTS += tests/unit/test_declare
tests_unit_test_declare_SOURCES = tests/unit/test_declare.c tests/unit/unit.h
tests_unit_test_declare_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_declare_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_config
TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c tests/unit/unit.h
tests_unit_test_config_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_config_LDADD = libkernel.la $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test_courier_parts
TESTS += tests/unit/test_courier_parts
tests_unit_test_courier_parts_SOURCES = tests/unit/test_courier_parts.c tests/unit/unit.h
tests_unit_test_courier_parts_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_courier_parts_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_selection
TESTS += tests/unit/test_selection
tests_unit_test_selection_SOURCES = tests/unit/test_selection.c tests/unit/unit.h
tests_unit_test_selection_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_selection_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_host_status
TESTS += tests/unit/test_host_status
tests_unit_test_host_status_SOURCES = tests/unit/test_host_status.c tests/unit/unit.h
tests_unit_test_host_status_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_host_status_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_index
TESTS += tests/unit/test_index
tests_unit_test_index_SOURCES = tests/unit/test_index.c tests/unit/unit.h
tests_unit_test_index_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_index_LDADD = libkernel.la $(CUNIT_LIBS)
mailstats_samples = tests/unit/data/mailstats/sendmail.cf tests/unit/data/mailstats/sendmail.st tests/unit/data/mailstats/wide.st \
	tests/unit/data/mailstats/sendmail.plain.expected tests/unit/data/mailstats/sendmail.o.expected \
	tests/unit/data/mailstats/sendmail.P.expected tests/unit/data/mailstats/sendmail.Po.expected \
	tests/unit/data/mailstats/wide.plain.expected tests/unit/data/mailstats/wide.o.expected \
	tests/unit/data/mailstats/wide.P.expected tests/unit/data/mailstats/wide.Po.expected
TESTS += tests/unit/mailstats.sh
EXTRA_DIST += tests/unit/mailstats.sh $(mailstats_samples)
check_PROGRAMS += tests/unit/test_statistics
TESTS += tests/unit/test_statistics
tests_unit_test_statistics_SOURCES = tests/unit/test_statistics.c tests/unit/unit.h tests/unit/scratch.h
tests_unit_test_statistics_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_statistics_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_traffic
TESTS += tests/unit/test_traffic
tests_unit_test_traffic_SOURCES = tests/unit/test_traffic.c tests/unit/unit.h
tests_unit_test_traffic_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_traffic_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_mailer_content
TESTS += tests/unit/test_mailer_content
tests_unit_test_mailer_content_SOURCES = tests/unit/test_mailer_content.c tests/unit/mailer_fixture.h tests/unit/fake_server.c tests/unit/fake_server.h tests/unit/unit.h
tests_unit_test_mailer_content_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_mailer_content_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_sts tests/unit/test_tls_record
TESTS += tests/unit/test_sts tests/unit/test_tls_record
tests_unit_test_sts_SOURCES = tests/unit/test_sts.c modules/mailers/smtp/sts_policy.c modules/mailers/smtp/sts_store.c tests/unit/scratch.h tests/unit/unit.h
tests_unit_test_sts_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_sts_LDADD = libpostrider.la $(CUNIT_LIBS)
tests_unit_test_tls_record_SOURCES = tests/unit/test_tls_record.c tests/unit/scratch.h tests/unit/unit.h
tests_unit_test_tls_record_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_tls_record_LDADD = libkernel.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_tls_sessions
TESTS += tests/unit/test_tls_sessions
tests_unit_test_tls_sessions_SOURCES = tests/unit/test_tls_sessions.c tests/unit/unit.h
tests_unit_test_tls_sessions_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_tls_sessions_LDADD = libkernel.la $(OPENSSL_LIBS) $(CUNIT_LIBS)
