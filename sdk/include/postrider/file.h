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
/* As sendmail judges files that tell where mail goes: nobody but owners may write to the file or to a directory on the way.  A sticky directory
 * passes as above.  `uid` owns the file.  The reason in `why` is in sendmail's words: "Group writable directory". */
enum pr_safe {
	PR_SAFE_GROUP_FILE = 1, PR_SAFE_WORLD_FILE = 2, /* the file may be writable */
	PR_SAFE_GROUP_DIRECTORY = 4,                    /* a group may write to directories as owners do */
	PR_SAFE_IN_GROUP = 8, PR_SAFE_IN_ANY = 16,      /* directories may be writable, but then no link may lie in one */
	PR_SAFE_LINKS = 32,                             /* nevertheless they may */
	PR_SAFE_STICKY = 64                             /* sticky directories pass whoever owns what is in them */
};
bool pr_file_is_safe(const char *path, uint32_t uid, uint32_t flags, struct pr_text *why);
/* What DontBlameSendmail means for a kind of file: "GroupWritableDirPathSafe,MapInUnsafeDirPath" to PR_SAFE_... */
enum pr_safe_kind { PR_SAFE_CLASS = 1, PR_SAFE_MAP, PR_SAFE_ALIAS, PR_SAFE_INCLUDE, PR_SAFE_FORWARD };
uint32_t pr_safe_flags(enum pr_safe_kind kind, struct pr_str blame);
/* Writes all bytes, going on after short writes and EINTR; false with errno. */
bool pr_write_all(int fd, const void *data, size_t len);

#endif
