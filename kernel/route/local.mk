# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/route/expand.c kernel/route/expand.h kernel/route/member.c kernel/route/seen.c kernel/route/seen.h \
	kernel/route/walk.c kernel/route/walk.h
