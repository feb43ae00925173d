# SPDX-License-Identifier: BSD-2-Clause
man_MANS += doc/man/postrider-module.1
EXTRA_DIST += doc/man/postrider-module.1
