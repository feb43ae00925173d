# SPDX-License-Identifier: BSD-2-Clause
man_MANS += doc/man/postrider-module.1
EXTRA_DIST += doc/man/postrider-module.1
command_manuals = doc/man/aliases.5 doc/man/mailq.1 doc/man/makemap.8 doc/man/newaliases.1 doc/man/postrider.8 \
	doc/man/postrider.conf.5 doc/man/postriderctl.8 doc/man/sendmail.8
man_MANS += $(command_manuals)
EXTRA_DIST += $(command_manuals)
