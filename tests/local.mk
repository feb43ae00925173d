# SPDX-License-Identifier: BSD-2-Clause
AM_TESTS_ENVIRONMENT = top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; export top_srcdir top_builddir;
# a test that hangs is a test that failed
LOG_COMPILER = timeout -k 10 900
