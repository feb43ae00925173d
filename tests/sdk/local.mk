# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/sdk/run
EXTRA_DIST += tests/sdk/run tests/sdk/tiny.c
