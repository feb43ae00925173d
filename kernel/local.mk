# SPDX-License-Identifier: BSD-2-Clause
sbin_PROGRAMS += postrider
postrider_SOURCES = kernel/main.c
postrider_CPPFLAGS = $(KERNEL_CPPFLAGS)
postrider_LDADD = libkernel.la
postrider_LDFLAGS = $(AM_LDFLAGS) -dlpreopen force
# what every role does first
libkernel_la_SOURCES += kernel/module/crash.c kernel/module/crash.h
libkernel_la_SOURCES += kernel/role/arguments.c kernel/role/arguments.h kernel/role/plan_role.c kernel/role/plan_role.h
libkernel_la_SOURCES += kernel/helper/helper.c kernel/helper/helper.h kernel/helper/delivery.h kernel/helper/message.c \
	kernel/helper/append.c kernel/helper/mbox.c kernel/helper/maildir.c kernel/helper/program.c kernel/helper/program_rights.c \
	kernel/helper/dialogue.c kernel/helper/launch.c kernel/helper/launch.h kernel/helper/prison.c
