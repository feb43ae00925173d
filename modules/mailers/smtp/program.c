/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other side is a program on this machine: the helper starts it as the user it is to be, and hands over a socket.
 */
#include "smtp.h"

#include "../prog/prog.h"

/* Its words are those of a mailer that is a program; there is no $u among them, so it does not matter whose they are. */
static enum pr_status find_words(struct smtp_run *run, struct pr_list *argv_out)
{
	const struct smtp *smtp = run->smtp;
	struct prog prog = {.path = smtp->path, .argv = smtp->argv};
	struct prog_words words = {.call = run->call, .destination = run->destination, .envelope = run->envelope, .deliveries = run->deliveries,
	                           .count = run->count};

	return prog_words(&words, &prog, argv_out);
}

enum pr_status smtp_program_open(struct smtp_run *run, int *fd_out)
{
	const struct smtp *smtp = run->smtp;
	struct pr_local_delivery delivery = {.size = sizeof delivery, .kind = PR_LOCAL_DIALOGUE, .timeout = (uint32_t)smtp->timeout,
	                                     .directories = smtp->directory, .root = smtp->root, .niceness = (int32_t)smtp->niceness, .fd = -1};
	enum pr_status status = prog_find_account(run->call, smtp->user, smtp->owner != 0, run->deliveries[0].user, &delivery.user);

	if (status == PR_OK)
		status = find_words(run, &delivery.argv);
	if (status == PR_OK)
		status = run->call->host->local_deliver(run->call, &delivery);
	if (status == PR_OK)
		*fd_out = delivery.fd;
	return status;
}
