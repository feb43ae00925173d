# SPDX-License-Identifier: BSD-2-Clause
auth_LTLIBRARIES += dovecot.la map.la
dovecot_la_SOURCES = modules/auth/dovecot/dovecot.c modules/auth/dovecot/dovecot.h modules/auth/dovecot/link.c
dovecot_la_CPPFLAGS = $(SDK_CPPFLAGS)
dovecot_la_LDFLAGS = $(MODULE_LINK)
dovecot_la_LIBADD = libpostrider.la
auth_map_sources = modules/auth/map/map.c modules/auth/map/map.h modules/auth/map/hash.c modules/auth/map/password.c modules/auth/map/scram.c \
	modules/auth/map/verifier.c
map_la_SOURCES = $(auth_map_sources)
map_la_CPPFLAGS = $(SDK_CPPFLAGS) $(OPENSSL_CFLAGS)
map_la_LDFLAGS = $(MODULE_LINK)
map_la_LIBADD = libpostrider.la $(OPENSSL_LIBS) -lcrypt
auth_sasl_sources = modules/auth/sasl/sasl.c modules/auth/sasl/sasl.h modules/auth/sasl/connection.c modules/auth/sasl/library.c
if HAVE_SASL
auth_LTLIBRARIES += sasl.la
sasl_la_SOURCES = $(auth_sasl_sources)
sasl_la_CPPFLAGS = $(SDK_CPPFLAGS)
sasl_la_LDFLAGS = $(MODULE_LINK)
sasl_la_LIBADD = libpostrider.la $(SASL_LIBS)
else
EXTRA_DIST += $(auth_sasl_sources)
endif
