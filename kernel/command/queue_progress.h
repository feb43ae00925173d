/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A queue run that somebody waits for, seen from outside by the lines of "status" (kernel/master/control.h).
 *
 *   status      courier pid 12 ... serving ... runs=3          who is it, and how many runs has he taken up?
 *   queue-run   OK                                              it is on its way to him
 *   status      courier pid 12 ... serving ... runs=3           not taken up yet
 *   status      courier pid 12 ... ready=2 running=1 ... runs=4 taken up, and not done
 *   status      courier pid 12 ... ready=0 running=0 ... runs=4 done
 *
 * A status without an answer of the courier proves nothing, however busy the machine is.  Another pid is another courier, who knows nothing of
 * our run: he is asked anew.
 */
#ifndef KERNEL_COMMAND_QUEUE_PROGRESS_H
#define KERNEL_COMMAND_QUEUE_PROGRESS_H

#include <postrider/text.h>

struct progress {
	uint64_t pid;  /* of the courier that serves; 0: there is none */
	uint64_t runs; /* that he has taken up */
	bool answered; /* the two above and the one below are of now */
	bool busy;     /* something is left that could be done now */
};

void progress_read(struct pr_str status, struct progress *progress_out);

/* Asks the daemon of `config` for `request`, a queue-run, and waits until it is done, or for a signal that wants us to end.  EX_OK; another status,
 * and the reason was printed: nobody can say that it is done. */
int progress_run(const char *config, const char *request);

#endif
