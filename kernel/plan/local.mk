# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/plan/plan.c kernel/plan/plan.h kernel/plan/internal.h kernel/plan/entry.c \
	kernel/plan/destination.c kernel/plan/retry.c kernel/plan/retry.h
