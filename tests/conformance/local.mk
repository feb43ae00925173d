# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/conformance/run
EXTRA_DIST += tests/conformance/run tests/conformance/README.md tests/conformance/script.py tests/conformance/player.py tests/conformance/stage.py tests/conformance/host.py \
	$(wildcard $(srcdir)/tests/conformance/*.txt)
