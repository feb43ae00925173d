# SPDX-License-Identifier: BSD-2-Clause
# A name of a map is a module; several may stand in one folder and share its files.
hash_sources = modules/maps/hash/berkeley.h modules/maps/hash/build.c modules/maps/hash/check.c modules/maps/hash/check.h \
	modules/maps/hash/disk.c modules/maps/hash/hash.c modules/maps/hash/hash.h modules/maps/hash/judge.c modules/maps/hash/layout.h \
	modules/maps/hash/memory.c modules/maps/hash/memory.h modules/maps/hash/view.c
if HAVE_LIBDB
hash_sources += modules/maps/hash/berkeley.c
else
hash_sources += modules/maps/hash/absent.c
endif
EXTRA_DIST += modules/maps/hash/berkeley.c modules/maps/hash/absent.c
hash_libs = libpostrider.la $(GDBM_LIBS) $(DB_LIBS)
text_sources = modules/maps/text/text.c modules/maps/text/text.h

map_LTLIBRARIES += hash.la
hash_la_SOURCES = modules/maps/hash/module_hash.c $(hash_sources)
hash_la_CPPFLAGS = $(SDK_CPPFLAGS)
hash_la_LDFLAGS = $(MODULE_LINK)
hash_la_LIBADD = $(hash_libs)
map_LTLIBRARIES += btree.la
btree_la_SOURCES = modules/maps/hash/module_btree.c $(hash_sources)
btree_la_CPPFLAGS = $(SDK_CPPFLAGS)
btree_la_LDFLAGS = $(MODULE_LINK)
btree_la_LIBADD = $(hash_libs)
map_LTLIBRARIES += dbm.la
dbm_la_SOURCES = modules/maps/hash/module_dbm.c $(hash_sources)
dbm_la_CPPFLAGS = $(SDK_CPPFLAGS)
dbm_la_LDFLAGS = $(MODULE_LINK)
dbm_la_LIBADD = $(hash_libs)
map_LTLIBRARIES += implicit.la
implicit_la_SOURCES = modules/maps/implicit/implicit.c $(hash_sources) $(text_sources)
implicit_la_CPPFLAGS = $(SDK_CPPFLAGS)
implicit_la_LDFLAGS = $(MODULE_LINK)
implicit_la_LIBADD = $(hash_libs)
map_LTLIBRARIES += text.la
text_la_SOURCES = modules/maps/text/module_text.c $(text_sources)
text_la_CPPFLAGS = $(SDK_CPPFLAGS)
text_la_LDFLAGS = $(MODULE_LINK)
text_la_LIBADD = libpostrider.la
map_LTLIBRARIES += stab.la
stab_la_SOURCES = modules/maps/text/module_stab.c $(text_sources)
stab_la_CPPFLAGS = $(SDK_CPPFLAGS)
stab_la_LDFLAGS = $(MODULE_LINK)
stab_la_LIBADD = libpostrider.la
map_LTLIBRARIES += null.la
null_la_SOURCES = modules/maps/null/null.c
null_la_CPPFLAGS = $(SDK_CPPFLAGS)
null_la_LDFLAGS = $(MODULE_LINK)
null_la_LIBADD = libpostrider.la
map_LTLIBRARIES += arith.la
arith_la_SOURCES = modules/maps/arith/arith.c
arith_la_CPPFLAGS = $(SDK_CPPFLAGS)
arith_la_LDFLAGS = $(MODULE_LINK)
arith_la_LIBADD = libpostrider.la
map_LTLIBRARIES += dequote.la
dequote_la_SOURCES = modules/maps/dequote/dequote.c
dequote_la_CPPFLAGS = $(SDK_CPPFLAGS)
dequote_la_LDFLAGS = $(MODULE_LINK)
dequote_la_LIBADD = libpostrider.la
map_LTLIBRARIES += regex.la
regex_la_SOURCES = modules/maps/regex/regex.c
regex_la_CPPFLAGS = $(SDK_CPPFLAGS)
regex_la_LDFLAGS = $(MODULE_LINK)
regex_la_LIBADD = libpostrider.la
map_LTLIBRARIES += macro.la
macro_la_SOURCES = modules/maps/macro/macro.c
macro_la_CPPFLAGS = $(SDK_CPPFLAGS)
macro_la_LDFLAGS = $(MODULE_LINK)
macro_la_LIBADD = libpostrider.la
map_LTLIBRARIES += user.la
user_la_SOURCES = modules/maps/user/user.c
user_la_CPPFLAGS = $(SDK_CPPFLAGS)
user_la_LDFLAGS = $(MODULE_LINK)
user_la_LIBADD = libpostrider.la
map_LTLIBRARIES += sequence.la
sequence_la_SOURCES = modules/maps/sequence/sequence.c modules/maps/sequence/members.c modules/maps/sequence/members.h
sequence_la_CPPFLAGS = $(SDK_CPPFLAGS)
sequence_la_LDFLAGS = $(MODULE_LINK)
sequence_la_LIBADD = libpostrider.la
map_LTLIBRARIES += switch.la
switch_la_SOURCES = modules/maps/sequence/switch.c modules/maps/sequence/members.c modules/maps/sequence/members.h modules/maps/sequence/services.c modules/maps/sequence/services.h
switch_la_CPPFLAGS = $(SDK_CPPFLAGS)
switch_la_LDFLAGS = $(MODULE_LINK)
switch_la_LIBADD = libpostrider.la
map_LTLIBRARIES += host.la
host_la_SOURCES = modules/maps/host/host.c modules/maps/host/cache.c modules/maps/host/cache.h modules/maps/host/files.c modules/maps/host/files.h modules/maps/sequence/services.c modules/maps/sequence/services.h
host_la_CPPFLAGS = $(SDK_CPPFLAGS)
host_la_LDFLAGS = $(MODULE_LINK)
host_la_LIBADD = libpostrider.la
map_LTLIBRARIES += dns.la
dns_la_SOURCES = modules/maps/dns/dns.c modules/maps/dns/records.c modules/maps/dns/records.h
dns_la_CPPFLAGS = $(SDK_CPPFLAGS)
dns_la_LDFLAGS = $(MODULE_LINK)
dns_la_LIBADD = libpostrider.la
map_LTLIBRARIES += bestmx.la
bestmx_la_SOURCES = modules/maps/dns/bestmx.c modules/maps/dns/records.c modules/maps/dns/records.h
bestmx_la_CPPFLAGS = $(SDK_CPPFLAGS)
bestmx_la_LDFLAGS = $(MODULE_LINK)
bestmx_la_LIBADD = libpostrider.la
map_LTLIBRARIES += arpa.la
arpa_la_SOURCES = modules/maps/arpa/arpa.c
arpa_la_CPPFLAGS = $(SDK_CPPFLAGS)
arpa_la_LDFLAGS = $(MODULE_LINK)
arpa_la_LIBADD = libpostrider.la
map_LTLIBRARIES += syslog.la
syslog_la_SOURCES = modules/maps/syslog/syslog.c
syslog_la_CPPFLAGS = $(SDK_CPPFLAGS)
syslog_la_LDFLAGS = $(MODULE_LINK)
syslog_la_LIBADD = libpostrider.la
map_LTLIBRARIES += program.la
program_la_SOURCES = modules/maps/program/program.c modules/maps/program/run.c modules/maps/program/run.h
program_la_CPPFLAGS = $(SDK_CPPFLAGS)
program_la_LDFLAGS = $(MODULE_LINK)
program_la_LIBADD = libpostrider.la
map_LTLIBRARIES += socket.la
socket_la_SOURCES = modules/maps/socket/socket.c modules/maps/socket/line.c modules/maps/socket/line.h
socket_la_CPPFLAGS = $(SDK_CPPFLAGS)
socket_la_LDFLAGS = $(MODULE_LINK)
socket_la_LIBADD = libpostrider.la
map_LTLIBRARIES += userdb.la
userdb_la_SOURCES = modules/maps/userdb/userdb.c $(hash_sources)
userdb_la_CPPFLAGS = $(SDK_CPPFLAGS)
userdb_la_LDFLAGS = $(MODULE_LINK)
userdb_la_LIBADD = $(hash_libs)

check_PROGRAMS += tests/unit/test_hash
TESTS += tests/unit/test_hash
tests_unit_test_hash_SOURCES = tests/unit/test_hash.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h $(hash_la_SOURCES)
tests_unit_test_hash_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_hash_LDADD = $(hash_libs) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_text_map
TESTS += tests/unit/test_text_map
tests_unit_test_text_map_SOURCES = tests/unit/test_text_map.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h $(text_la_SOURCES)
tests_unit_test_text_map_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_text_map_LDADD = libpostrider.la $(CUNIT_LIBS)
if HAVE_LIBDB
check_PROGRAMS += tests/unit/test_berkeley
TESTS += tests/unit/test_berkeley
endif
tests_unit_test_berkeley_SOURCES = tests/unit/test_berkeley.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/unit.h $(hash_la_SOURCES)
tests_unit_test_berkeley_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_berkeley_LDADD = $(hash_libs) $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_maps
TESTS += tests/unit/test_maps
tests_unit_test_maps_SOURCES = tests/unit/test_maps.c tests/unit/fake_host.c tests/unit/fake_host.h tests/unit/scratch.h tests/unit/unit.h \
	modules/maps/null/null.c modules/maps/arith/arith.c modules/maps/dequote/dequote.c modules/maps/regex/regex.c modules/maps/macro/macro.c \
	modules/maps/user/user.c modules/maps/sequence/sequence.c $(switch_la_SOURCES) modules/maps/host/host.c modules/maps/host/cache.c \
	modules/maps/host/cache.h modules/maps/host/files.c modules/maps/host/files.h modules/maps/text/module_text.c modules/maps/text/module_stab.c \
	modules/maps/dns/dns.c modules/maps/dns/bestmx.c modules/maps/dns/records.c modules/maps/dns/records.h modules/maps/arpa/arpa.c modules/maps/syslog/syslog.c $(program_la_SOURCES) $(socket_la_SOURCES) \
	modules/maps/userdb/userdb.c modules/maps/implicit/implicit.c $(hash_sources) $(text_sources)
tests_unit_test_maps_CPPFLAGS = $(KERNEL_CPPFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_maps_LDADD = $(hash_libs) $(CUNIT_LIBS)

man_MANS += modules/maps/hash/postrider-map-hash.5 modules/maps/text/postrider-map-text.5
EXTRA_DIST += modules/maps/hash/postrider-map-hash.5 modules/maps/text/postrider-map-text.5
