# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/courier/courier.h kernel/courier/internal.h kernel/courier/main.c kernel/courier/worker.c \
	kernel/courier/index.c kernel/courier/index_internal.h kernel/courier/index_stream.c kernel/courier/scan.c kernel/courier/job.c kernel/courier/macros.c kernel/courier/route.c kernel/courier/compat.c kernel/courier/deliver_by.c kernel/courier/deliver.c kernel/courier/content.h kernel/courier/content.c kernel/courier/cache.c \
	kernel/courier/settle.c kernel/courier/unsettled.c kernel/courier/statistics.c kernel/courier/status.c kernel/courier/notice.c kernel/courier/notice_header.c kernel/courier/notice_words.c kernel/courier/report.c kernel/courier/rights.c kernel/courier/load.c kernel/courier/body.c kernel/courier/body.h kernel/courier/helper.c kernel/courier/expand.c \
	kernel/courier/clock.c kernel/courier/clock.h kernel/courier/drain.c kernel/courier/groups.c kernel/courier/hosts.c kernel/courier/dead_hosts.c \
	kernel/courier/lease.c kernel/courier/ready.c kernel/courier/timeouts.c kernel/courier/selected.c kernel/courier/words.c kernel/courier/verbose.c kernel/courier/host_record.c kernel/courier/tls_record.c
