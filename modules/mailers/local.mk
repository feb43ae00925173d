# SPDX-License-Identifier: BSD-2-Clause
mailer_LTLIBRARIES += smtp.la discard.la error.la
smtp_mailer_sources = modules/mailers/smtp/smtp.c modules/mailers/smtp/smtp.h modules/mailers/smtp/address.c \
	modules/mailers/smtp/connect.c modules/mailers/smtp/dialogue.c modules/mailers/smtp/transaction.c \
	modules/mailers/smtp/content.c
smtp_la_SOURCES = $(smtp_mailer_sources)
smtp_la_CPPFLAGS = $(SDK_CPPFLAGS)
smtp_la_LDFLAGS = $(MODULE_LINK)
smtp_la_LIBADD = libpostrider.la
discard_la_SOURCES = modules/mailers/discard/discard.c
discard_la_CPPFLAGS = $(SDK_CPPFLAGS)
discard_la_LDFLAGS = $(MODULE_LINK)
discard_la_LIBADD = libpostrider.la
error_la_SOURCES = modules/mailers/error/error.c
error_la_CPPFLAGS = $(SDK_CPPFLAGS)
error_la_LDFLAGS = $(MODULE_LINK)
error_la_LIBADD = libpostrider.la
