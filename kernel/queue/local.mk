# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/queue/queue.h kernel/queue/submit.c kernel/queue/print.c kernel/queue/wake.c kernel/queue/selection.h kernel/queue/selection.c kernel/queue/host_status.h kernel/queue/host_status.c kernel/queue/tls_record.h kernel/queue/tls_record.c kernel/queue/tls_book.c kernel/queue/listing.c kernel/queue/listing.h \
	kernel/queue/drop_list.c kernel/queue/load.c kernel/queue/load.h kernel/queue/places.c kernel/queue/row.c kernel/queue/row.h
libkernel_la_SOURCES += kernel/queue/statistics.h kernel/queue/statistics_cf.c kernel/queue/statistics_counters.c \
	kernel/queue/statistics_file.c kernel/queue/statistics_names.c
