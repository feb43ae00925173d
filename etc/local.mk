# SPDX-License-Identifier: BSD-2-Clause
# Sample configuration: installed only where none is, so an upgrade never touches what an administrator wrote.
etc_tables = etc/aliases etc/access etc/virtusertable etc/mailertable
EXTRA_DIST += $(etc_tables) etc/postrider.conf.in etc/postrider.service.in
noinst_DATA = etc/postrider.conf
pkgdata_DATA = etc/postrider.service
CLEANFILES += etc/postrider.conf etc/postrider.service
etc_edit = $(SED) -e 's|@CONFIG_DIR[@]|$(CONFIG_DIR)|g' -e 's|@RUN_DIR[@]|$(RUN_DIR)|g' \
	-e 's|@STATE_DIR[@]|$(STATE_DIR)|g' -e 's|@sbindir[@]|$(sbindir)|g'
etc/postrider.conf: $(srcdir)/etc/postrider.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(etc_edit) $(srcdir)/etc/postrider.conf.in > $@.tmp && mv $@.tmp $@
etc/postrider.service: $(srcdir)/etc/postrider.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(etc_edit) $(srcdir)/etc/postrider.service.in > $@.tmp && mv $@.tmp $@

install-data-hook: install-configuration
install-configuration: etc/postrider.conf
	$(MKDIR_P) "$(DESTDIR)$(CONFIG_DIR)"
	for file in etc/postrider.conf $(etc_tables); do \
		name=`basename $$file`; \
		test -f $$file || file=$(srcdir)/$$file; \
		if test -e "$(DESTDIR)$(CONFIG_DIR)/$$name"; then echo "keeping $(CONFIG_DIR)/$$name"; \
		else $(INSTALL_DATA) $$file "$(DESTDIR)$(CONFIG_DIR)/$$name" || exit 1; fi; \
	done

# The other names of the two programs.
sendmail_names = mailq newaliases hoststat purgestat
postrider_names = mailstats makemap postriderctl
install-exec-hook: install-names
install-names:
	$(MKDIR_P) "$(DESTDIR)$(sbindir)" "$(DESTDIR)$(bindir)" "$(DESTDIR)$(exec_prefix)/lib"
	cd "$(DESTDIR)$(sbindir)" && for name in $(postrider_names); do \
		rm -f $$name && $(LN_S) postrider $$name || exit 1; done
	cd "$(DESTDIR)$(sbindir)" && for name in $(sendmail_names); do \
		rm -f $$name && $(LN_S) sendmail $$name || exit 1; done
	cd "$(DESTDIR)$(exec_prefix)/lib" && rm -f sendmail && $(LN_S) "$(sbindir)/sendmail" sendmail
	cd "$(DESTDIR)$(bindir)" && for name in $(sendmail_names); do \
		rm -f $$name && $(LN_S) "$(sbindir)/sendmail" $$name || exit 1; done

# An uninstall leaves what was changed.
uninstall-hook: uninstall-names
uninstall-names:
	cd "$(DESTDIR)$(sbindir)" && rm -f $(postrider_names) $(sendmail_names)
	cd "$(DESTDIR)$(bindir)" && rm -f $(sendmail_names)
	rm -f "$(DESTDIR)$(exec_prefix)/lib/sendmail"
	for file in etc/postrider.conf $(etc_tables); do \
		name=`basename $$file`; \
		test -f $$file || file=$(srcdir)/$$file; \
		if cmp -s $$file "$(DESTDIR)$(CONFIG_DIR)/$$name"; then rm -f "$(DESTDIR)$(CONFIG_DIR)/$$name"; fi; \
	done
	-rmdir "$(DESTDIR)$(CONFIG_DIR)" 2>/dev/null || true
.PHONY: install-configuration install-names uninstall-names
