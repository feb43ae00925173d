# SPDX-License-Identifier: BSD-2-Clause
STORIES = tests/story/first_letter.py
TESTS += $(STORIES)
EXTRA_DIST += tests/story/story.py $(STORIES)
