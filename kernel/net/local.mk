# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/net/channel.c kernel/net/channel.h kernel/net/helper_protocol.h
