# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/config/config.c kernel/config/config.h kernel/config/build.h \
	kernel/config/build_instances.c kernel/config/build_listeners.c kernel/config/build_groups.c kernel/config/build_certificates.c kernel/config/build_options.c \
	kernel/config/judge.c kernel/config/rights.c kernel/config/rights.h kernel/config/declare.c kernel/config/declare_defaults.c kernel/config/declare_listener.c kernel/config/declare_mailer.c kernel/config/declare_option.c \
	kernel/config/mailer_flags.c kernel/config/mailer_flags.h kernel/config/options_idle.c kernel/config/options_idle.h \
	kernel/config/settings.c kernel/config/server.c kernel/config/server.h kernel/config/readable.c kernel/config/readable.h kernel/config/options.c kernel/config/options.h kernel/config/role.h kernel/config/tree.c kernel/config/whole.c kernel/config/words.c kernel/config/words.h kernel/config/tree.h
