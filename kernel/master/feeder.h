/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Drop files, one batch: from the directory into the submission socket.
 *
 * A user without a daemon at hand ran `sendmail`; it left `drop/NAME`, a file of his holding the SMTP dialogue (MAIL, RCPT,
 * DATA, the message, the dot).  The feeder is a forked child of the master, still root, that lists the directory, opens each file without following
 * links, believes only a regular file with one link of bounded size, and copies it into memory before anything is done with it.  The
 * talking is done by a child of its own that has become the receiver's user.
 *
 *   250 to the dot           unlinked
 *   a recipient or message refused for good    kept as .bad-NAME, its owner gets a report, one log line says why
 *   anything temporary       stays, is tried again
 */
#ifndef KERNEL_MASTER_FEEDER_H
#define KERNEL_MASTER_FEEDER_H

#include "kernel/master/identity.h"

struct feeder {
	const char *directory;
	const char *socket_path;
	const struct identity *talker;
	uint64_t max_message; /* bytes, 0: none */
	int report;           /* one line for each file, for the log */
};

enum feeder_result { FEEDER_DONE = 0, FEEDER_LATER = 1, FEEDER_REFUSED = 2, FEEDER_PARTLY = 3 };
#define FEEDER_MORE 3 /* exit status: the batch was full */

/* The whole life of the feeder process; its exit status. */
int feeder_run(const struct feeder *feeder);
/* On the same connection: a report to the file's owner with `why` and the beginning of the file; nothing for a file that is a report itself. */
bool feeder_notice(int fd, struct pr_str file, uint32_t uid, struct pr_str why);
/* Plays one file over a connected socket. */
enum feeder_result feeder_talk(int fd, struct pr_str file, uint32_t uid, struct pr_text *why);

#endif
