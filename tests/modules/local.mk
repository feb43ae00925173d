# SPDX-License-Identifier: BSD-2-Clause
# Modules that are built for tests only, good and bad; they land in BUILD/.libs beside the real ones.
TEST_MODULE_LINK = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
check_LTLIBRARIES += hello.la
hello_la_SOURCES = tests/modules/hello.c
hello_la_CPPFLAGS = $(SDK_CPPFLAGS)
hello_la_LDFLAGS = $(TEST_MODULE_LINK)
hello_la_LIBADD = libpostrider.la
check_LTLIBRARIES += debugmap.la
debugmap_la_SOURCES = tests/modules/debugmap.c
debugmap_la_CPPFLAGS = $(SDK_CPPFLAGS)
debugmap_la_LDFLAGS = $(TEST_MODULE_LINK)
debugmap_la_LIBADD = libpostrider.la
check_LTLIBRARIES += debugmailer.la
debugmailer_la_SOURCES = tests/modules/debugmailer.c
debugmailer_la_CPPFLAGS = $(SDK_CPPFLAGS)
debugmailer_la_LDFLAGS = $(TEST_MODULE_LINK)
debugmailer_la_LIBADD = libpostrider.la
check_LTLIBRARIES += debugrules.la
debugrules_la_SOURCES = tests/modules/debugrules.c
debugrules_la_CPPFLAGS = $(SDK_CPPFLAGS)
debugrules_la_LDFLAGS = $(TEST_MODULE_LINK)
debugrules_la_LIBADD = libpostrider.la
check_LTLIBRARIES += debugstore.la
# the memory store with odd habits
debugstore_la_SOURCES = tests/modules/debugstore.c tests/modules/debugstore.h tests/modules/debugstore_wrong.c $(memory_store_sources)
debugstore_la_CPPFLAGS = $(SDK_CPPFLAGS) -I$(top_srcdir)
debugstore_la_LDFLAGS = $(TEST_MODULE_LINK)
debugstore_la_LIBADD = libpostrider.la
check_LTLIBRARIES += debugauth.la
debugauth_la_SOURCES = tests/modules/debugauth.c
debugauth_la_CPPFLAGS = $(SDK_CPPFLAGS)
debugauth_la_LDFLAGS = $(TEST_MODULE_LINK)
debugauth_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_major.la
bad_major_la_SOURCES = tests/modules/bad_major.c
bad_major_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_major_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_major_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_minor.la
bad_minor_la_SOURCES = tests/modules/bad_minor.c
bad_minor_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_minor_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_minor_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_magic.la
bad_magic_la_SOURCES = tests/modules/bad_magic.c
bad_magic_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_magic_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_magic_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_unresolved.la
bad_unresolved_la_SOURCES = tests/modules/bad_unresolved.c
bad_unresolved_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_unresolved_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_unresolved_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_crash.la
bad_crash_la_SOURCES = tests/modules/bad_crash.c
bad_crash_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_crash_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_crash_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_hang.la
bad_hang_la_SOURCES = tests/modules/bad_hang.c
bad_hang_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_hang_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_hang_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_open.la
bad_open_la_SOURCES = tests/modules/bad_open.c
bad_open_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_open_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_open_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_check.la
bad_check_la_SOURCES = tests/modules/bad_check.c
bad_check_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_check_la_LDFLAGS = $(TEST_MODULE_LINK)
bad_check_la_LIBADD = libpostrider.la
check_LTLIBRARIES += bad_symbol.la
bad_symbol_la_SOURCES = tests/modules/bad_symbol.c
bad_symbol_la_CPPFLAGS = $(SDK_CPPFLAGS)
bad_symbol_la_LDFLAGS = $(TEST_MODULE_LINK)

# one source, serialised and concurrent
check_LTLIBRARIES += probe.la probemany.la
probe_la_SOURCES = tests/modules/probe.c
probe_la_CPPFLAGS = $(SDK_CPPFLAGS) -DPROBE_NAME=probe -DPROBE_FLAGS=0
probe_la_LDFLAGS = $(TEST_MODULE_LINK)
probe_la_LIBADD = libpostrider.la
probemany_la_SOURCES = tests/modules/probe.c
probemany_la_CPPFLAGS = $(SDK_CPPFLAGS) -DPROBE_NAME=probemany "-DPROBE_FLAGS=PR_CONCURRENT|PR_PROMPT"
probemany_la_LDFLAGS = $(TEST_MODULE_LINK)
probemany_la_LIBADD = libpostrider.la

# every call through the kernel's own wrappers
check_PROGRAMS += tests/unit/test_module
TESTS += tests/unit/test_module
tests_unit_test_module_SOURCES = tests/unit/test_module.c tests/unit/test_module_hooks.c tests/unit/test_module.h tests/unit/unit.h
tests_unit_test_module_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) -DBUILD_DIR='"$(abs_top_builddir)"'
tests_unit_test_module_LDADD = libkernel.la $(CUNIT_LIBS)
tests_unit_test_module_LDFLAGS = $(AM_LDFLAGS) -dlpreopen tests/modules/preopened/hello.la
tests_unit_test_module_DEPENDENCIES = libkernel.la tests/modules/preopened/hello.la $(check_LTLIBRARIES) debug.la

# one source, both ways: hello.la above is shared, this one goes into the program
check_LTLIBRARIES += tests/modules/preopened/hello.la
tests_modules_preopened_hello_la_SOURCES = tests/modules/hello.c
tests_modules_preopened_hello_la_CPPFLAGS = $(SDK_CPPFLAGS)
tests_modules_preopened_hello_la_CFLAGS = $(AM_CFLAGS) -fPIC
tests_modules_preopened_hello_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -static -rpath $(pkglibdir)

check_PROGRAMS += tests/modules/test_modules
TESTS += tests/modules/test_modules
tests_modules_test_modules_SOURCES = tests/modules/test_modules.c tests/unit/unit.h
tests_modules_test_modules_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS) -DBUILD_DIR='"$(abs_top_builddir)"'
tests_modules_test_modules_LDADD = libkernel.la $(CUNIT_LIBS)
tests_modules_test_modules_LDFLAGS = $(AM_LDFLAGS) -dlpreopen tests/modules/preopened/hello.la
tests_modules_test_modules_DEPENDENCIES = libkernel.la tests/modules/preopened/hello.la $(check_LTLIBRARIES)

TESTS += tests/modules/run
EXTRA_DIST += tests/modules/run
