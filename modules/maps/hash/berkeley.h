/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables of sendmail's own makemap: Berkeley DB files, hash or btree, only read, and always whole: the library looks through a damaged
 * file less carefully than we like, so it is asked for all records once, and never for a key.
 *
 * berkeley.c asks the library; absent.c says that this build has none, so that a site with such tables hears why.  A handle is one thread's.
 * Every function answers false with a sentence (without the file's name) in `why`.
 */
#ifndef MODULES_MAPS_HASH_BERKELEY_H
#define MODULES_MAPS_HASH_BERKELEY_H

#include <postrider/status.h>
#include <postrider/text.h>

struct berkeley;

/* Does the library's verifier find it whole? */
bool berkeley_check(const char *path, char *why, size_t why_size);
struct berkeley *berkeley_open(const char *path, char *why, size_t why_size);
void berkeley_close(struct berkeley *file); /* NULL is fine */
/* The first record (restart), or the one behind the last: PR_OK with bytes that stay until the next call, PR_NOTFOUND at the end, or
 * PR_TEMPFAIL. */
enum pr_status berkeley_next(struct berkeley *file, bool restart, struct pr_str *key_out, struct pr_str *value_out, char *why, size_t why_size);

#endif
