# SPDX-License-Identifier: BSD-2-Clause
man_MANS += doc/man/postrider-module.1
EXTRA_DIST += doc/man/postrider-module.1
command_manuals = doc/man/aliases.5 doc/man/hoststat.1 doc/man/purgestat.1 doc/man/mailq.1 doc/man/mailstats.8 doc/man/makemap.8 doc/man/newaliases.1 doc/man/postrider.8 \
	doc/man/postrider-maps.5 doc/man/postrider.conf.5 doc/man/postriderctl.8 doc/man/sendmail.8
man_MANS += $(command_manuals)
EXTRA_DIST += $(command_manuals)
EXTRA_DIST += doc/decisions/0000-template.md doc/decisions/0001-stairs-of-the-third-floor.md \
	doc/decisions/0002-submission-without-a-daemon.md doc/decisions/0003-full-name-travels-as-a-field.md \
	doc/decisions/0004-two-lines-of-configuration.md doc/decisions/0005-bs-is-the-daemon.md \
	doc/decisions/0006-a-queue-run-brings-its-own-daemon.md
EXTRA_DIST += doc/decisions/0007-the-receiver-reads-mailer-descriptors.md \
	doc/decisions/0008-the-queue-directory-is-sticky.md doc/decisions/0009-letters-that-arrive-together.md
EXTRA_DIST += doc/performance.md doc/decisions/0010-an-intake-journal-with-marks.md
EXTRA_DIST += doc/decisions/0011-the-master-writes-the-statistics.md doc/decisions/0013-who-is-connected-is-known-to-all-receivers.md
EXTRA_DIST += doc/decisions/0012-a-sendmail-cf-is-data-for-the-kernel.md doc/decisions/0014-tls-for-mailers-is-the-kernels.md
EXTRA_DIST += doc/decisions/0015-a-module-may-use-libcrypto.md doc/decisions/0016-dns-through-libunbound.md doc/decisions/0017-mta-sts-in-the-mailer.md doc/decisions/0018-the-master-lends-keys.md
