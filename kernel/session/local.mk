# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/session/receiver.c kernel/session/receiver.h kernel/session/session.c kernel/session/session.h kernel/session/statistics.c kernel/session/statistics.h \
	kernel/session/accept.c kernel/session/accept.h kernel/session/aliases.c kernel/session/aliases.h \
	kernel/session/answer.c kernel/session/ask.h kernel/session/auth.c kernel/session/auth.h kernel/session/auth_offer.c kernel/session/failures.c kernel/session/shown.c kernel/session/shown.h kernel/session/failures.h kernel/session/ask_auth.c kernel/session/macros_auth.c kernel/session/ask_connect.c kernel/session/ask_data.c \
	kernel/session/ask_end.c kernel/session/ask_envelope.c kernel/session/ask_etrn.c kernel/session/ask_help.c kernel/session/ask_verify.c kernel/session/admit.c \
	kernel/session/admit.h kernel/session/close.c kernel/session/close.h kernel/session/commit.c kernel/session/edits.c \
	kernel/session/envelope.c kernel/session/envelope.h kernel/session/filters.c kernel/session/filters.h \
	kernel/session/lead.c kernel/session/loop.c kernel/session/loop.h kernel/session/loop_internal.h kernel/session/macros.c kernel/session/macros.h kernel/session/macros_connection.c kernel/session/macros_message.c kernel/session/macros_tls.c \
	kernel/session/parts.c kernel/session/policy.c kernel/session/policy.h kernel/session/report.c kernel/session/report.h \
	kernel/session/submission.c kernel/session/submission.h kernel/session/table.c kernel/session/table.h \
	kernel/session/threads.c kernel/session/timer.c kernel/session/timer.h kernel/session/tls_start.c kernel/session/wait.c kernel/session/wait.h \
	kernel/session/tls_start.h kernel/session/tls_serve.c kernel/session/tls_serve.h kernel/session/transaction.c kernel/session/transaction.h \
	kernel/session/introduce.c kernel/session/introduce.h kernel/session/listener.c kernel/session/listener.h kernel/session/proxy.c kernel/session/proxy.h \
	kernel/session/account.c kernel/session/account.h kernel/session/features.c kernel/session/features.h kernel/session/pause.c kernel/session/pause.h kernel/session/no_recipient.c kernel/session/no_recipient.h kernel/session/slow.c kernel/session/slow.h kernel/session/word.c kernel/session/word.h
