/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model of what a power cut leaves.
 *
 * Every write to a file since its last sync is remembered with the bytes it replaced, every change of a directory since that
 * directory's last sync with how to undo it.  At the cut each unsynced 512-byte piece is kept or taken back by chance, and of the
 * changes of directories the first so many are kept, as a journalling file system keeps them.  Files that are written
 * through a shared mapping (*.done, *.mark) are compared with what they held at their last sync.
 */
#ifndef TESTS_FAULT_POWERCUT_H
#define TESTS_FAULT_POWERCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Before the real call; `path` is below the directory that is watched. */
void powercut_before_write(int fd, const char *path, off_t offset, size_t len);
void powercut_created(const char *path);
void powercut_before_rename(const char *from, const char *to);
void powercut_before_unlink(const char *path);
/* After the real call came back well. */
void powercut_synced_file(const char *path);
void powercut_synced_directory(const char *path);
void powercut_synced_all(void);
void powercut_mapped(const char *path);
/* The power goes: takes back what was not synced and ends the process. */
void powercut_now(unsigned int seed);

#endif
