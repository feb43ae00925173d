/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program gets the message as a file on its standard input, so neither side can wait for the other; its output is read up to a
 * limit and then thrown away.  A pidfd tells the end at once; the time limit ends the whole process group, and so does the end of
 * the courier: nobody is left to hear how it went, and the message will be tried again.
 */
#include "kernel/helper/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SECONDS 600
#define ALONE_MS 5000 /* from SIGTERM to SIGKILL when the courier is gone */
#define LAST_READS 32 /* after its end: what a pipe holds, by 4096 bytes, and as much again */
#define VARIABLES_MAX (HELPER_ARGS_MAX + 8)

struct run {
	char *argv[HELPER_ARGS_MAX + 1];
	char *environment[VARIABLES_MAX + 1];
	size_t variables;
	int input, output[2];
	pid_t pid;
	int pid_fd;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_variable(struct run *run, const char *name, const char *value)
{
	struct pr_text text;

	pr_text_init(&text, 4096);
	if (value != NULL && run->variables < VARIABLES_MAX && pr_text_addf(&text, "%s=%s", name, value))
		run->environment[run->variables++] = pr_copy_c(text.data);
	pr_text_fini(&text);
}

/* Names that a shell or the linker would obey are never taken from a request. */
static bool is_harmless(struct pr_str variable)
{
	static const char *const reserved[] = {"LD_", "IFS=", "ENV=", "BASH", "PATH=", "HOME=", "SHELL=", "USER=", "LOGNAME=",
	                                       "PS4=", "GLIBC", "MALLOC", "PERL", "PYTHON", "RUBY", "TMPDIR="};
	size_t end = pr_str_find(variable, '=');

	if (end == 0 || end == variable.len)
		return false;
	for (size_t i = 0; i < end; i++)
		if (!((variable.data[i] >= 'A' && variable.data[i] <= 'Z') || variable.data[i] == '_'))
			return false;
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (pr_str_has_prefix_nocase(variable, pr_str(reserved[i])))
			return false;
	return true;
}

static void make_surroundings(struct run *run, const struct helper_rights *rights, const struct helper_request *request)
{
	for (size_t i = 0; i < request->argv.count && i < HELPER_ARGS_MAX; i++)
		run->argv[i] = (char *)(uintptr_t)request->argv.items[i].data;
	add_variable(run, "PATH", "/usr/bin:/bin");
	add_variable(run, "HOME", rights->home);
	add_variable(run, "USER", rights->user);
	add_variable(run, "LOGNAME", rights->user);
	add_variable(run, "SHELL", "/bin/sh");
	for (size_t i = 0; i < request->environment.count; i++)
		if (is_harmless(request->environment.items[i]) && run->variables < VARIABLES_MAX)
			run->environment[run->variables++] = pr_copy_str(request->environment.items[i]);
}

__attribute__((noreturn)) static void become_program(const struct run *run, const char *home)
{
	sigset_t none;

	(void)setsid();
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (chdir(home) != 0 && chdir("/") != 0)
		_exit(71);
	if (dup2(run->input, 0) < 0 || dup2(run->output[1], 1) < 0 || dup2(run->output[1], 2) < 0 ||
	    close_range(3, ~0U, 0) != 0)
		_exit(71);
	execve(run->argv[0], run->argv, run->environment);
	_exit(errno == ENOENT || errno == EACCES || errno == ENOEXEC ? 72 : 71);
}

static bool start(struct run *run, const struct message *message, const char *home)
{
	bool newline;

	run->input = memfd_create("message", MFD_CLOEXEC);
	if (run->input < 0 || !message_copy(message, run->input, (message->flags & HELPER_QUOTE_FROM) != 0, &newline) ||
	    lseek(run->input, 0, SEEK_SET) != 0 || pipe2(run->output, O_CLOEXEC) != 0)
		return false;
	run->pid = fork();
	if (run->pid == 0)
		become_program(run, home);
	close(run->output[1]);
	run->output[1] = -1;
	if (run->pid > 0)
		run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return run->pid > 0 && run->pid_fd >= 0;
}

/* False at the end of the output. */
static bool read_output(struct run *run, struct pr_text *output)
{
	char bytes[4096];
	ssize_t got = read(run->output[0], bytes, sizeof bytes);

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
	struct pollfd polls[3] = {{.fd = run->pid_fd, .events = POLLIN}, {.fd = run->output[0], .events = POLLIN}, {.fd = channel}};
	int last_reads = 0;

	for (;;) {
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return false;
		int ready = poll(polls, 3, left > 3600000 ? 3600000 : (int)left);
		bool ended = ready > 0 && polls[0].revents != 0;
		if (ready > 0 && (polls[2].revents & POLLHUP) != 0) {
			(void)kill(-run->pid, SIGTERM);
			polls[2].fd = -1;
			deadline = now_ms() + (left < ALONE_MS ? left : ALONE_MS);
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
	const int all[] = {run->input, run->output[0], run->output[1], run->pid_fd};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] >= 0)
			close(all[i]);
	for (size_t i = 0; i < run->variables; i++)
		pr_free(run->environment[i]);
	pr_free(run);
}

static enum pr_status collect(struct run *run, int channel, const struct helper_request *request, struct helper_reply *reply,
                              struct pr_text *output, struct pr_text *why)
{
	unsigned int seconds = request->timeout > 0 ? request->timeout : DEFAULT_SECONDS;
	bool ended = watch(run, channel, now_ms() + (int64_t)seconds * 1000, output);
	int status = 0;

	if (!ended)
		(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	reply->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	if (!ended) {
		pr_text_addf(why, "%s did not end within %u seconds and was killed", run->argv[0], seconds);
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

	run->input = run->output[0] = run->output[1] = run->pid_fd = -1;
	make_surroundings(run, rights, request);
	if (start(run, message, rights->home)) {
		status = collect(run, rights->channel > 0 ? rights->channel : -1, request, reply, output, why);
	} else {
		status = delivery_fail(why, "start", run->argv[0]);
		if (run->pid > 0) {
			(void)kill(-run->pid, SIGKILL);
			(void)waitpid(run->pid, NULL, 0);
		}
	}
	finish(run);
	return status;
}
