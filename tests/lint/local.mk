# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/lint/run
EXTRA_DIST += tests/lint/run tests/lint/lint.py
TESTS += tests/lint/manual
EXTRA_DIST += tests/lint/manual
