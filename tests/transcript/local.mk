# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += tests/transcript/play
TESTS += tests/transcript/play
tests_transcript_play_SOURCES = tests/transcript/play.c
tests_transcript_play_CPPFLAGS = $(KERNEL_CPPFLAGS) -DTRANSCRIPT_DIR='"$(abs_srcdir)/tests/transcript"'
tests_transcript_play_LDADD = libpure.la
EXTRA_DIST += tests/transcript/README.md $(wildcard $(srcdir)/tests/transcript/*.txt)
