# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/lint/run
EXTRA_DIST += tests/lint/run tests/lint/lint.py
TESTS += tests/lint/manual
EXTRA_DIST += tests/lint/manual
# Floor 2 alone: this does not link when something pure needs more than libpostrider and the C library, and tests/lint/pure
# looks at what it takes from the C library.
check_LTLIBRARIES += pure_floor.la
pure_floor_la_SOURCES =
pure_floor_la_LIBADD = libpure.la libpostrider.la
pure_floor_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined -rpath /nowhere
TESTS += tests/lint/pure
EXTRA_DIST += tests/lint/pure
