# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/smtp/machine.c kernel/smtp/machine.h kernel/smtp/internal.h kernel/smtp/verb.c \
	kernel/smtp/auth.c kernel/smtp/reply.c kernel/smtp/parameters.c kernel/smtp/path.c kernel/smtp/helo.c kernel/smtp/mail.c kernel/smtp/deliver_by.c kernel/smtp/rcpt.c \
	kernel/smtp/data.c kernel/smtp/chunk.c kernel/smtp/data_reader.c kernel/smtp/data_reader.h kernel/smtp/misc.c kernel/smtp/lists.c \
	kernel/smtp/help.c kernel/smtp/slow.c kernel/smtp/networks.c kernel/smtp/networks.h kernel/smtp/proxy_header.c kernel/smtp/proxy_header.h kernel/smtp/introduce.c
