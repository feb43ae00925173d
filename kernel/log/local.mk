# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/log/log.c kernel/log/log.h kernel/log/repeat.c kernel/log/repeat.h kernel/log/trace.c kernel/log/trace.h
