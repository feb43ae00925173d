# SPDX-License-Identifier: BSD-2-Clause
TESTS += tests/oracle/queue
EXTRA_DIST += tests/oracle/queue tests/oracle/exchange.py tests/oracle/sendmail.py
