/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program gets the message as a file on its standard input, so neither side can wait for the other; its output is read up to a
 * limit and then thrown away.  A pidfd tells the end at once; the time limit ends the whole process group, and so does the end of
 * the courier: nobody is left to hear how it went, and the message will be tried again.
 */
#include "kernel/helper/delivery.h"
#include "kernel/helper/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_SECONDS 600
#define ALONE_MS 5000 /* from SIGTERM to SIGKILL when the courier is gone */
#define LAST_READS 32 /* after its end: what a pipe holds, by 4096 bytes, and as much again */

struct run {
	struct launch launch;
	int output; /* our end */
};

static bool start(struct run *run, const struct message *message)
{
	struct launch *launch = &run->launch;
	int pipes[2];
	bool newline;

	launch->input = memfd_create("message", MFD_CLOEXEC);
	if (launch->input < 0 || !message_copy(message, launch->input, (message->flags & HELPER_QUOTE_FROM) != 0, &newline) ||
	    lseek(launch->input, 0, SEEK_SET) != 0 || pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	run->output = pipes[0];
	launch->output = launch->error = pipes[1];
	bool good = launch_start(launch);
	close(pipes[1]);
	return good;
}

/* False at the end of the output. */
static bool read_output(struct run *run, struct pr_text *output)
{
	char bytes[4096];
	ssize_t got = read(run->output, bytes, sizeof bytes);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got <= 0)
		return false;
	size_t room = HELPER_OUTPUT_MAX - output->len;
	(void)pr_text_add(output, bytes, (size_t)got < room ? (size_t)got : room);
	return true;
}

/* True when the program has ended; false: out of time. */
static bool watch(struct run *run, int channel, int64_t deadline, struct pr_text *output)
{
	struct pollfd polls[3] = {{.fd = run->launch.pid_fd, .events = POLLIN}, {.fd = run->output, .events = POLLIN}, {.fd = channel}};
	int last_reads = 0;

	for (;;) {
		int64_t left = deadline - delivery_now_ms();
		if (left <= 0)
			return false;
		int ready = poll(polls, 3, left > 3600000 ? 3600000 : (int)left);
		bool ended = ready > 0 && polls[0].revents != 0;
		if (ready > 0 && (polls[2].revents & POLLHUP) != 0) {
			(void)kill(-run->launch.pid, SIGTERM);
			polls[2].fd = -1;
			deadline = delivery_now_ms() + (left < ALONE_MS ? left : ALONE_MS);
		}
		if (ready > 0 && polls[1].revents != 0 && !read_output(run, output))
			polls[1].fd = -1;
		/* its last words are read before its end counts; children it left behind, silent or not, do not hold us up */
		else if (ended && (polls[1].revents == 0 || ++last_reads > LAST_READS))
			return true;
	}
}

static void finish(struct run *run)
{
	if (run->launch.input >= 0)
		close(run->launch.input);
	if (run->output >= 0)
		close(run->output);
	launch_fini(&run->launch);
	pr_free(run);
}

static enum pr_status collect(struct run *run, int channel, const struct helper_request *request, struct helper_reply *reply,
                              struct pr_text *output, struct pr_text *why)
{
	unsigned int seconds = request->timeout > 0 ? request->timeout : DEFAULT_SECONDS;
	bool ended = watch(run, channel, delivery_now_ms() + (int64_t)seconds * 1000, output);
	int status = ended ? launch_wait(&run->launch) : launch_kill(&run->launch);

	reply->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	if (!ended) {
		pr_text_addf(why, "%s did not end within %u seconds and was killed", run->launch.argv[0], seconds);
		return PR_TEMPFAIL;
	}
	return PR_OK;
}

enum pr_status program_run(const struct helper_rights *rights, const struct helper_request *request,
                           const struct message *message, struct helper_reply *reply, struct pr_text *output,
                           struct pr_text *why)
{
	struct run *run = pr_alloc(sizeof *run);
	enum pr_status status;

	run->output = -1;
	launch_init(&run->launch, rights, request);
	if (start(run, message)) {
		status = collect(run, rights->channel > 0 ? rights->channel : -1, request, reply, output, why);
	} else {
		status = delivery_fail(why, "start", run->launch.argv[0]);
		(void)launch_kill(&run->launch);
	}
	finish(run);
	return status;
}
