# SPDX-License-Identifier: BSD-2-Clause
rules_LTLIBRARIES += routes.la
routes_la_SOURCES = modules/rules/routes/access.c modules/rules/routes/canonical.c modules/rules/routes/check.c \
	modules/rules/routes/console.c modules/rules/routes/generics.c modules/rules/routes/luser.c modules/rules/routes/mailertable.c \
	modules/rules/routes/masquerade.c modules/rules/routes/names.c modules/rules/routes/names.h modules/rules/routes/relay.c \
	modules/rules/routes/resolve.c modules/rules/routes/routes.c modules/rules/routes/routes.h modules/rules/routes/sender.c \
	modules/rules/routes/table.c modules/rules/routes/virtual.c
routes_la_CPPFLAGS = $(SDK_CPPFLAGS)
routes_la_LDFLAGS = $(MODULE_LINK)
routes_la_LIBADD = libpostrider.la
