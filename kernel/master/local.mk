# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/master/master.c kernel/master/master.h kernel/master/state.h kernel/master/statistics.c kernel/master/traffic.c kernel/master/control.h \
	kernel/master/control.c kernel/master/table.c kernel/master/table.h kernel/master/identity.c kernel/master/identity.h \
	kernel/master/spawn.c kernel/master/files.c kernel/master/listen.c kernel/master/places.c kernel/master/takeover.c kernel/master/generation.c kernel/master/generation_child.c kernel/master/helpers.c \
	kernel/master/drop.c kernel/master/feeder.c kernel/master/feeder.h kernel/master/feeder_talk.c kernel/master/feeder_notice.c
