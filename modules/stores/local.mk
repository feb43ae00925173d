# SPDX-License-Identifier: BSD-2-Clause
store_LTLIBRARIES += spool.la
spool_la_SOURCES = modules/stores/spool/spool.h modules/stores/spool/spool.c modules/stores/spool/id.c \
	modules/stores/spool/qf_write.c modules/stores/spool/qf_read.c modules/stores/spool/qf_read_recipient.c modules/stores/spool/qf_reader.h modules/stores/spool/qf_value.c modules/stores/spool/intake.c \
	modules/stores/spool/sync.c modules/stores/spool/claim.c modules/stores/spool/claims.c modules/stores/spool/file.c modules/stores/spool/body.c \
	modules/stores/spool/scan.c modules/stores/spool/control.c modules/stores/spool/health.c modules/stores/spool/sweep.c \
	modules/stores/spool/journal.h modules/stores/spool/journal.c modules/stores/spool/journal_format.c \
	modules/stores/spool/journal_segment.c modules/stores/spool/journal_write.c modules/stores/spool/journal_take.c modules/stores/spool/journal_damage.c modules/stores/spool/journal_index.c \
	modules/stores/spool/journal_read.c modules/stores/spool/journal_replay.c modules/stores/spool/journal_claim.c \
	modules/stores/spool/journal_files.c modules/stores/spool/journal_spill.c modules/stores/spool/journal_late.c modules/stores/spool/large.c modules/stores/spool/journal_done.c \
	modules/stores/spool/journal_list.c modules/stores/spool/journal_ready.c \
	modules/stores/spool/places.c modules/stores/spool/query.c modules/stores/spool/own.c modules/stores/spool/journal_crc.c
spool_la_CPPFLAGS = $(SDK_CPPFLAGS)
spool_la_LDFLAGS = $(MODULE_LINK)
spool_la_LIBADD = libpostrider.la

memory_store_sources = modules/stores/memory/memory.h modules/stores/memory/memory.c modules/stores/memory/queue.c \
	modules/stores/memory/sane.c modules/stores/memory/intake.c modules/stores/memory/claim.c modules/stores/memory/look.c \
	modules/stores/memory/hands.c
store_LTLIBRARIES += memory.la
memory_la_SOURCES = modules/stores/memory/descriptor.c $(memory_store_sources)
memory_la_CPPFLAGS = $(SDK_CPPFLAGS)
memory_la_LDFLAGS = $(MODULE_LINK)
memory_la_LIBADD = libpostrider.la
man_MANS += modules/stores/memory/postrider-store-memory.5
EXTRA_DIST += modules/stores/memory/postrider-store-memory.5
