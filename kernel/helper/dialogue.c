/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program that is spoken with: its standard input and output are one end of a socket, the courier gets the other.  The helper keeps a copy of the
 * program's end and only looks at it: when the courier has hung up, the program has some seconds to leave by itself.
 */
#include "kernel/helper/delivery.h"
#include "kernel/helper/launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAVE_SECONDS 10 /* from the end of the conversation, when W= says nothing else */
#define TERMINATE_MS 5000

struct dialogue {
	struct launch launch;
	int end; /* of the program */
	unsigned int seconds;
};

enum pr_status dialogue_start(const struct helper_rights *rights, const struct helper_request *request, struct dialogue **dialogue_out, int *fd_out,
    struct pr_text *why)
{
	struct dialogue *dialogue;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return delivery_fail(why, "make a socket for", request->argv.items[0].data);
	dialogue = pr_alloc(sizeof *dialogue);
	launch_init(&dialogue->launch, rights, request);
	dialogue->end = pair[1];
	dialogue->seconds = request->timeout > 0 ? request->timeout : LEAVE_SECONDS;
	dialogue->launch.input = dialogue->launch.output = pair[1];
	if (launch_start(&dialogue->launch)) {
		*dialogue_out = dialogue;
		*fd_out = pair[0];
		return PR_OK;
	}
	enum pr_status status = delivery_fail(why, "start", request->argv.items[0].data);
	(void)launch_kill(&dialogue->launch);
	launch_fini(&dialogue->launch);
	close(pair[0]);
	close(pair[1]);
	pr_free(dialogue);
	return status;
}

/* True: the program has ended. */
static bool ends_within(const struct dialogue *dialogue, int64_t milliseconds)
{
	struct pollfd wait = {.fd = dialogue->launch.pid_fd, .events = POLLIN};
	int64_t deadline = delivery_now_ms() + milliseconds, left;

	while ((left = deadline - delivery_now_ms()) > 0)
		if (poll(&wait, 1, left > 3600000 ? 3600000 : (int)left) > 0)
			return true;
	return false;
}

void dialogue_watch(struct dialogue *dialogue)
{
	struct pollfd polls[2] = {{.fd = dialogue->launch.pid_fd, .events = POLLIN}, {.fd = dialogue->end}};
	bool ended = false, alone = false;

	while (!ended && !alone) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			break;
		ended = polls[0].revents != 0;
		alone = (polls[1].revents & POLLHUP) != 0;
	}
	ended = ended || ends_within(dialogue, (int64_t)dialogue->seconds * 1000);
	if (!ended) {
		(void)kill(-dialogue->launch.pid, SIGTERM);
		ended = ends_within(dialogue, TERMINATE_MS);
	}
	(void)(ended ? launch_wait(&dialogue->launch) : launch_kill(&dialogue->launch));
	close(dialogue->end);
	launch_fini(&dialogue->launch);
	pr_free(dialogue);
}
