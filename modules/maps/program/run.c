/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fork and exec with a pipe for the output and one that tells why exec failed (it closes by itself when exec works).
 * Between fork and exec only functions that are safe there are called: other threads held locks when the process was copied.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENDING_MS 20

static char *const environment[] = { (char *)(uintptr_t)"PATH=/usr/bin:/bin", (char *)(uintptr_t)"AGENT=sendmail", NULL };

static void child(const struct run *run, int out, int trouble)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	bool good = null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1;
	if (good && geteuid() == 0)
		good = setgroups(1, &run->gid) == 0 && setgid(run->gid) == 0 && setuid(run->uid) == 0;
	if (good) /* what a library opened without asking for it is not for the program */
		good = close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
	if (good)
		execve(run->argv[0], run->argv, environment);
	error = errno;
	_exit(write(trouble, &error, sizeof error) == (ssize_t)sizeof error ? 126 : 127);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Keeps the first line, and reads on to the end so that the program is not stopped by a closed pipe. */
static void keep(struct run *run, const char *bytes, size_t length, bool *ended)
{
	for (size_t i = 0; i < length && !*ended; i++) {
		*ended = bytes[i] == '\n';
		if (!*ended && run->length < sizeof run->line)
			run->line[run->length++] = bytes[i];
	}
}

static bool read_output(struct run *run, int fd, int64_t until)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	bool ended = false;
	char bytes[4096];

	for (;;) {
		int64_t left = until - now_ms();
		int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			errno = ready == 0 ? ETIMEDOUT : errno;
			return false;
		}
		ssize_t got = read(fd, bytes, sizeof bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		keep(run, bytes, (size_t)got, &ended);
	}
}

/* The output is closed; a program that stays is given the rest of the time. */
static bool wait_end(struct run *run, pid_t pid, int64_t until)
{
	int status = 0;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			return false;
		if (now_ms() >= until) {
			errno = ETIMEDOUT;
			return false;
		}
		nanosleep(&(struct timespec){ .tv_nsec = (run->exit_status++ < 10 ? 1 : ENDING_MS) * 1000000L }, NULL);
	}
	run->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : RUN_KILLED;
	return true;
}

static bool attend(struct run *run, pid_t pid, int out, int trouble)
{
	int64_t until = now_ms() + run->timeout_ms;
	int error = 0;

	run->exit_status = 0;
	if (read(trouble, &error, sizeof error) == (ssize_t)sizeof error) {
		waitpid(pid, NULL, 0);
		errno = error;
		return false;
	}
	if (read_output(run, out, until) && wait_end(run, pid, until))
		return true;
	error = errno;
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	errno = error;
	return false;
}

bool run_program(struct run *run)
{
	int out[2], trouble[2];

	run->length = 0;
	if (pipe2(out, O_CLOEXEC) != 0) {
		run->error = errno;
		return false;
	}
	if (pipe2(trouble, O_CLOEXEC) != 0) {
		run->error = errno;
		close(out[0]);
		close(out[1]);
		return false;
	}
	pid_t pid = fork();
	if (pid == 0)
		child(run, out[1], trouble[1]);
	int error = errno;
	close(out[1]);
	close(trouble[1]);
	bool good = pid > 0 && attend(run, pid, out[0], trouble[0]);
	run->error = pid > 0 ? errno : error;
	close(out[0]);
	close(trouble[0]);
	return good;
}
