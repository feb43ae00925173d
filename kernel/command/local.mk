# SPDX-License-Identifier: BSD-2-Clause
# the small sendmail: libpostrider and nothing else
submission_sources = kernel/command/sendmail/arguments.c kernel/command/sendmail/arguments_option.c kernel/command/sendmail/arguments.h \
	kernel/command/sendmail/dialogue.c kernel/command/sendmail/dialogue.h kernel/command/sendmail/told.c kernel/command/sendmail/traced.c kernel/command/sendmail/traced.h kernel/command/sendmail/drop.c \
	kernel/command/sendmail/message.c kernel/command/sendmail/overrides.c kernel/command/sendmail/message.h kernel/command/sendmail/outlet.c \
	kernel/command/sendmail/places.c kernel/command/sendmail/places.h kernel/command/sendmail/proxy.c \
	kernel/command/sendmail/recipients.c kernel/command/sendmail/recipients.h \
	kernel/command/sendmail/submit.c kernel/command/sendmail/submit.h \
	kernel/config/dialect.c kernel/config/dialect.h
sbin_PROGRAMS += sendmail
sendmail_SOURCES = kernel/command/sendmail/main.c $(submission_sources) kernel/config/options.c kernel/config/options_idle.c
sendmail_CPPFLAGS = $(KERNEL_CPPFLAGS)
sendmail_LDADD = libpostrider.la
# the full program's commands
libkernel_la_SOURCES += $(submission_sources)
libkernel_la_SOURCES += kernel/command/aliases.c kernel/command/check.c kernel/command/check_paths.c kernel/command/check_routes.c kernel/command/command.c kernel/command/command.h kernel/command/console.c kernel/command/explain.c kernel/command/explain.h kernel/command/explain_against.c kernel/command/explain_ask.c kernel/command/explain_check.c kernel/command/explain_json.c kernel/command/explain_list.c kernel/command/explain_show.c kernel/command/identity.c kernel/command/macros.c kernel/command/prompt.c kernel/command/prompt.h \
	kernel/command/control.c kernel/command/daemon.c kernel/command/host_status.c kernel/command/json.c kernel/command/json.h kernel/command/lookups.c kernel/command/lookups.h kernel/command/mailq.c kernel/command/mailstats.c kernel/command/makemap.c \
	kernel/command/modes.h kernel/command/queue_progress.c kernel/command/queue_progress.h kernel/command/queue_quarantine.c kernel/command/queue_run.c kernel/command/queue_terms.c kernel/command/queue_terms.h kernel/command/handback.c kernel/command/queue_show.c kernel/command/queue_tool.c kernel/command/queue_tool.h kernel/command/queue_job.h kernel/command/queue_verbs.c kernel/command/queue_words.c kernel/command/tlsrpt.c kernel/command/tlsrpt.h kernel/command/tlsrpt_json.c kernel/command/tool.c kernel/command/verify.c
EXTRA_DIST += kernel/README.md
check_PROGRAMS += tests/unit/test_explain
TESTS += tests/unit/test_explain
tests_unit_test_explain_SOURCES = tests/unit/test_explain.c tests/unit/unit.h
tests_unit_test_explain_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_explain_LDADD = libkernel.la $(CUNIT_LIBS)
