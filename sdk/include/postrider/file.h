/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Careful files: reading what is safe to believe, writing what must be whole.
 */
#ifndef POSTRIDER_FILE_H
#define POSTRIDER_FILE_H

#include "text.h"
#include "status.h"

/* Reads a whole regular file of at most `max` bytes into `text` (initialised by the caller).  PR_NOTFOUND when
 * it is not there, PR_TEMPFAIL/PR_PERMFAIL with a sentence in `why`. */
enum pr_status pr_file_read(const char *path, size_t max, struct pr_text *text, struct pr_text *why);
/* Writes a new file beside `path`, fsyncs it, renames it into place and fsyncs the directory. */
enum pr_status pr_file_replace(const char *path, uint32_t mode, struct pr_str contents, struct pr_text *why);
/* Is the file, and every directory above it, owned by root or `uid` and not writable by others?
 * (Group-writable counts as writable by others; a sticky directory such as /tmp passes only when
 * what stands in it is owned by root or `uid`.)  The sentence in `why` names the first offender. */
bool pr_file_is_trusted(const char *path, uint32_t uid, struct pr_text *why);
/* Writes all bytes, going on after short writes and EINTR; false with errno. */
bool pr_write_all(int fd, const void *data, size_t len);

#endif
