# SPDX-License-Identifier: BSD-2-Clause
filter_LTLIBRARIES += debug.la
debug_la_SOURCES = modules/filters/debug/debug.c
debug_la_CPPFLAGS = $(SDK_CPPFLAGS)
debug_la_LDFLAGS = $(MODULE_LINK)
debug_la_LIBADD = libpostrider.la
man_MANS += modules/filters/debug/postrider-debug.5
EXTRA_DIST += modules/filters/debug/postrider-debug.5
