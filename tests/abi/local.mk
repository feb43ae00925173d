# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += tests/abi/test_abi
TESTS += tests/abi/test_abi tests/abi/run
tests_abi_test_abi_SOURCES = tests/abi/test_abi.c tests/abi/table.h
tests_abi_test_abi_CPPFLAGS = -I$(top_srcdir) $(SDK_CPPFLAGS)
EXTRA_DIST += tests/abi/run tests/abi/generate.py
