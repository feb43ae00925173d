# SPDX-License-Identifier: BSD-2-Clause
# durable commits per second of a store: tests/bench/store_commit .libs/spool.so DIRECTORY THREADS SECONDS
check_PROGRAMS += tests/bench/store_commit
tests_bench_store_commit_SOURCES = tests/bench/store_commit.c tests/unit/store_harness.c tests/unit/store_harness.h
tests_bench_store_commit_CPPFLAGS = $(KERNEL_CPPFLAGS)
tests_bench_store_commit_LDADD = libpostrider.la
check_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = tests/bench/bench.h tests/bench/client.c tests/bench/load.c tests/bench/sink.c
tests_bench_load_CPPFLAGS = $(KERNEL_CPPFLAGS)
# lookups in a table: tests/bench/map_lookup FILE.db SIZE ROUNDS build|present|absent
check_PROGRAMS += tests/bench/map_lookup
tests_bench_map_lookup_SOURCES = tests/bench/map_lookup.c tests/unit/fake_host.c tests/unit/fake_host.h $(hash_la_SOURCES)
tests_bench_map_lookup_CPPFLAGS = $(KERNEL_CPPFLAGS)
tests_bench_map_lookup_LDADD = $(hash_libs)
EXTRA_DIST += tests/bench/compare.py tests/bench/queue_list.py tests/bench/rewrite.py tests/bench/sessions.py
