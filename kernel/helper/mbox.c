/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mailboxes in mbox form, and plain files named by an alias: both are an append with other rules (append.c).
 */
#include "kernel/helper/delivery.h"

#include <string.h>

#define LOCK_SECONDS 60

enum pr_status mbox_deliver(const char *path, const struct message *message, struct pr_text *why)
{
	const struct append append = {.path = path, .dot_lock = true, .blank_line = true, .quote = true,
	                              .lock_seconds = LOCK_SECONDS};

	return append_message(&append, message, why);
}

enum pr_status file_deliver(const char *path, const struct message *message, struct pr_text *why)
{
	const struct append append = {.path = path, .strict = true, .blank_line = true, .quote = true,
	                              .lock_seconds = LOCK_SECONDS};

	if (strcmp(path, "/dev/null") == 0) /* the customary way to throw mail away */
		return PR_OK;
	return append_message(&append, message, why);
}
