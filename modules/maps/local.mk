# SPDX-License-Identifier: BSD-2-Clause
map_LTLIBRARIES += hash.la text.la
hash_la_SOURCES = modules/maps/hash/build.c modules/maps/hash/check.c modules/maps/hash/check.h modules/maps/hash/hash.c \
	modules/maps/hash/hash.h modules/maps/hash/layout.h modules/maps/hash/open.c
hash_la_CPPFLAGS = $(SDK_CPPFLAGS)
hash_la_LDFLAGS = $(MODULE_LINK)
hash_la_LIBADD = libpostrider.la $(GDBM_LIBS)
text_la_SOURCES = modules/maps/text/text.c
text_la_CPPFLAGS = $(SDK_CPPFLAGS)
text_la_LDFLAGS = $(MODULE_LINK)
text_la_LIBADD = libpostrider.la

check_PROGRAMS += tests/unit/test_hash
TESTS += tests/unit/test_hash
tests_unit_test_hash_SOURCES = tests/unit/test_hash.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h $(hash_la_SOURCES)
tests_unit_test_hash_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_hash_LDADD = libpostrider.la $(GDBM_LIBS) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_text_map
TESTS += tests/unit/test_text_map
tests_unit_test_text_map_SOURCES = tests/unit/test_text_map.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h $(text_la_SOURCES)
tests_unit_test_text_map_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_text_map_LDADD = libpostrider.la $(CUNIT_LIBS)

man_MANS += modules/maps/hash/postrider-map-hash.5 modules/maps/text/postrider-map-text.5
EXTRA_DIST += modules/maps/hash/postrider-map-hash.5 modules/maps/text/postrider-map-text.5
