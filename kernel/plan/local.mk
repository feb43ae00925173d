# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/plan/plan.c kernel/plan/plan.h kernel/plan/internal.h kernel/plan/entry.c \
	kernel/plan/destination.c kernel/plan/retry.c kernel/plan/retry.h kernel/plan/heap.c kernel/plan/line.c kernel/plan/room.c \
	kernel/plan/order.c kernel/plan/order.h kernel/plan/index.c kernel/plan/index_row.c kernel/plan/index_slot.c kernel/plan/index_internal.h kernel/plan/index.h kernel/plan/intern.c kernel/plan/intern.h \
	kernel/plan/load.c kernel/plan/load.h
