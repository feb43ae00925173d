# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/sdk/run
EXTRA_DIST += tests/sdk/run tests/sdk/tiny.c

# An installation links the modules anew, and libtool takes them out of .libs for that moment: nobody else may be loading them.
INSTALLING = $(filter tests/sdk/run.log,$(TEST_LOGS))
$(filter-out tests/sdk/run.log,$(TEST_LOGS)): | $(INSTALLING)
