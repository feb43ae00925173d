# SPDX-License-Identifier: BSD-2-Clause
check_LTLIBRARIES += faultshim.la
faultshim_la_SOURCES = tests/fault/shim.c tests/fault/powercut.c tests/fault/powercut.h
faultshim_la_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
# -rpath makes libtool build a shared object though nothing is installed; without sanitizer: it is loaded before any runtime
faultshim_la_CFLAGS = $(WARN_CFLAGS)
faultshim_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
faultshim_la_LIBADD = -ldl -lpthread
check_PROGRAMS += tests/fault/test_store_faults
TESTS += tests/fault/test_store_faults
tests_fault_test_store_faults_SOURCES = tests/fault/test_store_faults.c tests/unit/store_harness.c tests/unit/store_harness.h
tests_fault_test_store_faults_CPPFLAGS = $(KERNEL_CPPFLAGS)
tests_fault_test_store_faults_LDADD = libpostrider.la
check_PROGRAMS += tests/fault/test_store_account
TESTS += tests/fault/test_store_account
tests_fault_test_store_account_SOURCES = tests/fault/test_store_account.c tests/unit/store_harness.c tests/unit/store_harness.h
tests_fault_test_store_account_CPPFLAGS = $(KERNEL_CPPFLAGS)
tests_fault_test_store_account_LDADD = libpostrider.la -lpthread
