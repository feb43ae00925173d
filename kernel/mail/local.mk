# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/mail/dsn.h kernel/mail/dsn_internal.h kernel/mail/dsn.c kernel/mail/dsn_parts.c
