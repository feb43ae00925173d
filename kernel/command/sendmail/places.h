/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the daemon listens and where mail waits for it, without reading the configuration language.
 *
 * A submission must start in well under a millisecond, so it does not load libconfig for two lines of text.
 * It looks in postrider.conf for
 *
 *   run_directory = "/run/postrider";
 *   drop_directory = "/var/spool/postrider/drop";
 *
 * at the outermost level, comments (#, //, slash-star) and quoted strings skipped; @include is not followed, so these
 * two settings stand in the main file.  What is not there keeps its compiled default.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_PLACES_H
#define KERNEL_COMMAND_SENDMAIL_PLACES_H

#include <postrider/text.h>

#define PLACES_PATH_MAX 1024

struct places {
	char run_directory[PLACES_PATH_MAX];
	char drop_directory[PLACES_PATH_MAX];
	char submit_socket[PLACES_PATH_MAX + 16];
	char control_socket[PLACES_PATH_MAX + 16];
};

/* config NULL: the site's file, which may be missing.  A sendmail.cf says nothing about these
 * two: then the site's file is read as well.  0, or EX_OSFILE with the sentence in `error`. */
int places_find(const char *config, struct places *places, struct pr_text *error);
/* Takes the two settings out of the text of a configuration; false when neither is there. */
bool places_scan(struct pr_str text, struct places *places);

#endif
