/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking away a test's scratch directory and all in it.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int scratch_remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline int scratch_remove(const char *path)
{
	return nftw(path, scratch_remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

#endif
