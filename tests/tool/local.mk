# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += tests/tool/relay tests/tool/try
# the same relay, for an installed postrider
bin_SCRIPTS += tests/tool/postrider-relay
CLEANFILES += tests/tool/postrider-relay
tests/tool/postrider-relay: $(srcdir)/tests/tool/relay Makefile
	$(AM_V_GEN)$(MKDIR_P) tests/tool && $(SED) -e 's|^installed_sbindir=.*|installed_sbindir=$(sbindir)|' \
		-e 's|^installed_moduledir=.*|installed_moduledir=$(MODULE_DIR)|' $(srcdir)/tests/tool/relay > $@.tmp && \
		chmod +x $@.tmp && mv $@.tmp $@
EXTRA_DIST += tests/tool/dnsstub
EXTRA_DIST += tests/tool/check
