# SPDX-License-Identifier: BSD-2-Clause
# Each target with its corpus and fixed mutations; tests/fuzz/run NAME builds the same file with libFuzzer.
FUZZ_CPPFLAGS = $(KERNEL_CPPFLAGS) -DFUZZ_CORPUS_DIR='"$(abs_srcdir)/tests/fuzz/corpus"'
fuzz_targets = tests/fuzz/fuzz_machine tests/fuzz/fuzz_chunk tests/fuzz/fuzz_proxy tests/fuzz/fuzz_command tests/fuzz/fuzz_address tests/fuzz/fuzz_header \
	tests/fuzz/fuzz_table tests/fuzz/fuzz_config tests/fuzz/fuzz_control tests/fuzz/fuzz_cf_file tests/fuzz/fuzz_cf_match tests/fuzz/fuzz_cf_text
fuzz_targets += tests/fuzz/fuzz_auth tests/fuzz/fuzz_mime tests/fuzz/fuzz_dns tests/fuzz/fuzz_reply
fuzz_targets += tests/fuzz/fuzz_sts
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
XFAIL_TESTS = tests/fuzz/fuzz_control
fuzz_common = tests/fuzz/fuzz_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_machine_SOURCES = tests/fuzz/fuzz_machine.c tests/fuzz/conversation.c tests/fuzz/conversation.h $(fuzz_common)
tests_fuzz_fuzz_machine_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/machine"'
tests_fuzz_fuzz_machine_LDADD = libpure.la
tests_fuzz_fuzz_chunk_SOURCES = tests/fuzz/fuzz_chunk.c tests/fuzz/conversation.c tests/fuzz/conversation.h $(fuzz_common)
tests_fuzz_fuzz_chunk_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/chunk"'
tests_fuzz_fuzz_chunk_LDADD = libpure.la
tests_fuzz_fuzz_proxy_SOURCES = tests/fuzz/fuzz_proxy.c $(fuzz_common)
tests_fuzz_fuzz_proxy_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/proxy"'
tests_fuzz_fuzz_proxy_LDADD = libpure.la
tests_fuzz_fuzz_command_SOURCES = tests/fuzz/fuzz_command.c tests/fuzz/conversation.c tests/fuzz/conversation.h $(fuzz_common)
tests_fuzz_fuzz_command_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/command"'
tests_fuzz_fuzz_command_LDADD = libpure.la
tests_fuzz_fuzz_address_SOURCES = tests/fuzz/fuzz_address.c $(fuzz_common)
tests_fuzz_fuzz_address_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/address"'
tests_fuzz_fuzz_address_LDADD = libpure.la
tests_fuzz_fuzz_header_SOURCES = tests/fuzz/fuzz_header.c $(fuzz_common)
tests_fuzz_fuzz_header_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/header"'
tests_fuzz_fuzz_header_LDADD = libpure.la
tests_fuzz_fuzz_table_SOURCES = tests/fuzz/fuzz_table.c $(fuzz_common)
tests_fuzz_fuzz_table_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/table"'
tests_fuzz_fuzz_table_LDADD = libpure.la
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c $(fuzz_common)
tests_fuzz_fuzz_config_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/config"'
tests_fuzz_fuzz_config_LDADD = libkernel.la
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(fuzz_common)
tests_fuzz_fuzz_control_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/control"'
tests_fuzz_fuzz_control_LDADD = libpure.la
tests_fuzz_fuzz_auth_SOURCES = tests/fuzz/fuzz_auth.c $(auth_map_sources) $(fuzz_common)
tests_fuzz_fuzz_auth_CPPFLAGS = $(FUZZ_CPPFLAGS) $(OPENSSL_CFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/auth"' -DMUTATIONS=300
tests_fuzz_fuzz_auth_LDADD = libpostrider.la $(OPENSSL_LIBS) -lcrypt
tests_fuzz_fuzz_cf_file_SOURCES = tests/fuzz/fuzz_cf_file.c tests/fuzz/cf_world.c tests/fuzz/cf_world.h $(fuzz_common)
tests_fuzz_fuzz_cf_file_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/cf_file"' -DMUTATIONS=60
tests_fuzz_fuzz_cf_file_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
tests_fuzz_fuzz_cf_match_SOURCES = tests/fuzz/fuzz_cf_match.c tests/fuzz/cf_world.c tests/fuzz/cf_world.h $(fuzz_common)
tests_fuzz_fuzz_cf_match_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/cf_match"' -DMUTATIONS=25
tests_fuzz_fuzz_cf_match_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
tests_fuzz_fuzz_cf_text_SOURCES = tests/fuzz/fuzz_cf_text.c $(fuzz_common)
tests_fuzz_fuzz_cf_text_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/cf_text"'
tests_fuzz_fuzz_cf_text_LDADD = libcfstage.la libpostrider.la $(CUNIT_LIBS)
tests_fuzz_fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c $(fuzz_common)
tests_fuzz_fuzz_mime_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/mime"' -DMUTATIONS=300
tests_fuzz_fuzz_mime_LDADD = libpure.la
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c kernel/net/dns_query.c kernel/net/dns_records.c $(fuzz_common)
tests_fuzz_fuzz_dns_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/dns"'
tests_fuzz_fuzz_dns_LDADD = libpostrider.la
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c $(fuzz_common)
tests_fuzz_fuzz_reply_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/reply"'
tests_fuzz_fuzz_reply_LDADD = libsmtpstage.la libpostrider.la $(SASL_LIBS) $(IDN2_LIBS)
tests_fuzz_fuzz_sts_SOURCES = tests/fuzz/fuzz_sts.c modules/mailers/smtp/sts_policy.c $(fuzz_common)
tests_fuzz_fuzz_sts_CPPFLAGS = $(FUZZ_CPPFLAGS) -DFUZZ_CORPUS=FUZZ_CORPUS_DIR'"/sts"'
tests_fuzz_fuzz_sts_LDADD = libpostrider.la
EXTRA_DIST += tests/fuzz/run tests/fuzz/README.md $(wildcard $(srcdir)/tests/fuzz/corpus/*/*)
