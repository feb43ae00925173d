# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/module/print.c kernel/module/print.h
