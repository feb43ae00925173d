# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/master/master.h kernel/master/control.h
