# SPDX-License-Identifier: BSD-2-Clause
mailer_LTLIBRARIES += smtp.la discard.la error.la
smtp_mailer_sources = modules/mailers/smtp/smtp.c modules/mailers/smtp/smtp.h modules/mailers/smtp/address.c \
	modules/mailers/smtp/connect.c modules/mailers/smtp/source.c modules/mailers/smtp/dialogue.c modules/mailers/smtp/transaction.c \
	modules/mailers/smtp/content.c modules/mailers/smtp/program.c modules/mailers/smtp/policy.c modules/mailers/smtp/fallback.c modules/mailers/smtp/dane.c modules/maps/sequence/services.c modules/maps/sequence/services.h modules/mailers/smtp/secure.c \
	modules/mailers/smtp/requiretls.c modules/mailers/smtp/auth.c modules/mailers/smtp/auth.h modules/mailers/smtp/auth_info.c modules/mailers/smtp/auth_own.c modules/mailers/smtp/auth_token.c \
	modules/mailers/prog/account.c modules/mailers/prog/prog.h modules/mailers/prog/words.c
if HAVE_SASL
smtp_mailer_sources += modules/mailers/smtp/auth_sasl.c
else
smtp_mailer_sources += modules/mailers/smtp/auth_none.c
endif
EXTRA_DIST += modules/mailers/smtp/auth_sasl.c modules/mailers/smtp/auth_none.c
smtp_mailer_sources += modules/mailers/smtp/idn.h
if HAVE_IDN2
smtp_mailer_sources += modules/mailers/smtp/idn_library.c
else
smtp_mailer_sources += modules/mailers/smtp/idn_none.c
endif
EXTRA_DIST += modules/mailers/smtp/idn_library.c modules/mailers/smtp/idn_none.c
smtp_mailer_sources += modules/mailers/smtp/sts.c modules/mailers/smtp/sts_cache.c modules/mailers/smtp/sts_cache.h modules/mailers/smtp/sts_fetch.h \
	modules/mailers/smtp/sts_policy.c modules/mailers/smtp/sts_policy.h modules/mailers/smtp/sts_store.c modules/mailers/smtp/sts_store.h \
	modules/mailers/smtp/report.c
if HAVE_CURL
smtp_mailer_sources += modules/mailers/smtp/sts_fetch_curl.c
else
smtp_mailer_sources += modules/mailers/smtp/sts_fetch_none.c
endif
EXTRA_DIST += modules/mailers/smtp/sts_fetch_curl.c modules/mailers/smtp/sts_fetch_none.c
smtp_la_SOURCES = $(smtp_mailer_sources)
# the same for tests that look inside, compiled once for all of them
check_LTLIBRARIES += libsmtpstage.la
libsmtpstage_la_SOURCES = $(smtp_mailer_sources)
libsmtpstage_la_CPPFLAGS = $(KERNEL_CPPFLAGS)
smtp_la_CPPFLAGS = $(SDK_CPPFLAGS)
smtp_la_LDFLAGS = $(MODULE_LINK)
smtp_la_LIBADD = libpostrider.la $(SASL_LIBS) $(IDN2_LIBS)
discard_la_SOURCES = modules/mailers/discard/discard.c
discard_la_CPPFLAGS = $(SDK_CPPFLAGS)
discard_la_LDFLAGS = $(MODULE_LINK)
discard_la_LIBADD = libpostrider.la
error_la_SOURCES = modules/mailers/error/error.c
error_la_CPPFLAGS = $(SDK_CPPFLAGS)
error_la_LDFLAGS = $(MODULE_LINK)
error_la_LIBADD = libpostrider.la
mailer_LTLIBRARIES += local.la prog.la file.la
local_la_SOURCES = modules/mailers/local/local.c modules/mailers/local/unix_from.c modules/mailers/local/unix_from.h
local_la_CPPFLAGS = $(SDK_CPPFLAGS)
local_la_LDFLAGS = $(MODULE_LINK)
local_la_LIBADD = libpostrider.la
prog_la_SOURCES = modules/mailers/prog/account.c modules/mailers/prog/outcome.c modules/mailers/prog/prog.c modules/mailers/prog/prog.h modules/mailers/prog/words.c modules/mailers/local/unix_from.c modules/mailers/local/unix_from.h
prog_la_CPPFLAGS = $(SDK_CPPFLAGS)
prog_la_LDFLAGS = $(MODULE_LINK)
prog_la_LIBADD = libpostrider.la
file_la_SOURCES = modules/mailers/file/file.c modules/mailers/local/unix_from.c modules/mailers/local/unix_from.h
file_la_CPPFLAGS = $(SDK_CPPFLAGS)
file_la_LDFLAGS = $(MODULE_LINK)
file_la_LIBADD = libpostrider.la
