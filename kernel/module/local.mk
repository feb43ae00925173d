# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/module/print.c kernel/module/print.h
libkernel_la_SOURCES += kernel/module/ask.c kernel/module/auth.c kernel/module/call.c kernel/module/declared.c kernel/module/declared.h kernel/module/filter.c kernel/module/host.c kernel/module/internal.h \
	kernel/module/loader.c kernel/module/loader.h kernel/module/mailer.c kernel/module/map.c kernel/module/module.h kernel/module/peer.c \
	kernel/module/rules.c kernel/module/set.c kernel/module/store.c
libkernel_la_SOURCES += kernel/module/queue_group.c kernel/module/templates.c kernel/module/templates.h
