# SPDX-License-Identifier: BSD-2-Clause
sdkinclude_HEADERS += sdk/include/postrider/address.h sdk/include/postrider/arena.h sdk/include/postrider/auth.h sdk/include/postrider/base64.h \
	sdk/include/postrider/call.h sdk/include/postrider/envelope.h sdk/include/postrider/file.h \
	sdk/include/postrider/filter.h sdk/include/postrider/host.h sdk/include/postrider/mailer.h \
	sdk/include/postrider/map.h sdk/include/postrider/mapflags.h sdk/include/postrider/module.h sdk/include/postrider/option.h \
	sdk/include/postrider/rules.h sdk/include/postrider/status.h sdk/include/postrider/store.h \
	sdk/include/postrider/table.h sdk/include/postrider/text.h sdk/include/postrider/verdict.h \
	sdk/include/postrider/version.h
lib_LTLIBRARIES += libpostrider.la
libpostrider_la_SOURCES = sdk/lib/address.c sdk/lib/address_list.c sdk/lib/address_scan.c sdk/lib/address_scan.h sdk/lib/utf8.c \
	sdk/lib/arena.c sdk/lib/ascii.h sdk/lib/auth.c sdk/lib/base64.c sdk/lib/call.c sdk/lib/envelope.c sdk/lib/escape.c sdk/lib/file.c \
	sdk/lib/format.c sdk/lib/map_flags.c sdk/lib/memory.c sdk/lib/option.c sdk/lib/option_value.c sdk/lib/status.c sdk/lib/str.c sdk/lib/table.c \
	sdk/lib/text.c sdk/lib/trust.c sdk/lib/units.c sdk/lib/xtext.c
libpostrider_la_CPPFLAGS = $(SDK_CPPFLAGS)
libpostrider_la_CFLAGS = $(WARN_CFLAGS) $(SANITIZE_CFLAGS) -pthread
libpostrider_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = sdk/postrider.pc
EXTRA_DIST += sdk/postrider.pc.in
EXTRA_DIST += sdk/lib/banned.h

# begin a module, and try one out without a daemon
bin_PROGRAMS += postrider-module
postrider_module_SOURCES = sdk/tools/postrider-module.c sdk/tools/deliver.c sdk/tools/host.c sdk/tools/load.c \
	sdk/tools/message.c sdk/tools/new.c sdk/tools/tool.h sdk/tools/store.h sdk/tools/store.c sdk/tools/store_mail.c \
	sdk/tools/store_accept.c sdk/tools/store_claim.c sdk/tools/store_hands.c sdk/tools/store_look.c sdk/tools/store_many.c
postrider_module_CPPFLAGS = $(SDK_CPPFLAGS) -DTEMPLATE_DIR='"$(pkgdatadir)/template"'
postrider_module_LDADD = libpostrider.la $(LTDL_LIBS) -lpthread

# templates of new projects
template_mapdir = $(pkgdatadir)/template/map
dist_template_map_DATA = sdk/template/map/configure.ac sdk/template/map/Makefile.am sdk/template/map/NAME.c sdk/template/map/NAME.5
dist_template_map_SCRIPTS = sdk/template/map/test.sh
template_mailerdir = $(pkgdatadir)/template/mailer
dist_template_mailer_DATA = sdk/template/mailer/configure.ac sdk/template/mailer/Makefile.am sdk/template/mailer/NAME.c sdk/template/mailer/NAME.5
dist_template_mailer_SCRIPTS = sdk/template/mailer/test.sh
template_filterdir = $(pkgdatadir)/template/filter
dist_template_filter_DATA = sdk/template/filter/configure.ac sdk/template/filter/Makefile.am sdk/template/filter/NAME.c sdk/template/filter/NAME.5
dist_template_filter_SCRIPTS = sdk/template/filter/test.sh
sdkdocdir = $(docdir)/sdk
dist_sdkdoc_DATA = sdk/MANUAL.md
