/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fork and execve, with everything that the program is to have made before the fork, and what it must not have closed after it.
 */
#include "kernel/helper/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void add_variable(struct launch *launch, const char *name, const char *value)
{
	struct pr_text text;

	pr_text_init(&text, 4096);
	if (value != NULL && launch->variables < LAUNCH_VARIABLES_MAX && pr_text_addf(&text, "%s=%s", name, value))
		launch->environment[launch->variables++] = pr_copy_c(text.data);
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

static void make_surroundings(struct launch *launch, const struct helper_rights *rights, const struct helper_request *request)
{
	for (size_t i = 0; i < request->argv.count && i < HELPER_ARGS_MAX; i++)
		launch->argv[i] = (char *)(uintptr_t)request->argv.items[i].data;
	add_variable(launch, "PATH", "/usr/bin:/bin");
	add_variable(launch, "HOME", rights->home);
	add_variable(launch, "USER", rights->user);
	add_variable(launch, "LOGNAME", rights->user);
	add_variable(launch, "SHELL", "/bin/sh");
	for (size_t i = 0; i < request->environment.count; i++)
		if (is_harmless(request->environment.items[i]) && launch->variables < LAUNCH_VARIABLES_MAX)
			launch->environment[launch->variables++] = pr_copy_str(request->environment.items[i]);
}

void launch_init(struct launch *launch, const struct helper_rights *rights, const struct helper_request *request)
{
	memset(launch, 0, sizeof *launch);
	launch->input = launch->output = launch->error = launch->pid_fd = -1;
	launch->home = rights->home;
	launch->request = request;
	make_surroundings(launch, rights, request);
}

/* One of "~:/srv:/", "~/x" or a path; what is no such thing is passed over. */
static bool enter(struct pr_str directory, const char *home)
{
	struct pr_text path;

	pr_text_init(&path, 4096);
	if (directory.len > 0 && directory.data[0] == '~' && (directory.len == 1 || directory.data[1] == '/')) {
		pr_text_add_c(&path, home);
		directory = pr_str_slice(directory, 1, directory.len);
	}
	pr_text_add_str(&path, directory);
	bool good = path.len > 0 && path.data[0] == '/' && !path.overflow && chdir(path.data) == 0;
	pr_text_fini(&path);
	return good;
}

static bool enter_some(const struct launch *launch)
{
	struct pr_str rest = launch->request->directories, directory;

	if (rest.len == 0)
		return chdir(launch->home) == 0 || chdir("/") == 0;
	while (rest.len > 0 && pr_str_next(&rest, ':', &directory))
		if (enter(directory, launch->home))
			return true;
	return false;
}

static bool take_descriptors(const struct launch *launch)
{
	int error = launch->error >= 0 ? launch->error : open("/dev/null", O_WRONLY);

	return dup2(launch->input, 0) >= 0 && dup2(launch->output, 1) >= 0 && dup2(error, 2) >= 0 && close_range(3, ~0U, 0) == 0;
}

__attribute__((noreturn)) static void become_program(const struct launch *launch)
{
	sigset_t none;

	(void)setsid();
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	errno = 0;
	if (launch->request->niceness != 0 && nice(launch->request->niceness) == -1 && errno != 0 && errno != EPERM)
		_exit(71);
	if (!take_descriptors(launch))
		_exit(71);
	if (launch->request->root.len > 0 && !prison_enter(launch->request->root.data))
		_exit(71);
	if (!enter_some(launch) && chdir("/") != 0)
		_exit(71);
	execve(launch->argv[0], launch->argv, launch->environment);
	_exit(errno == ENOENT || errno == EACCES || errno == ENOEXEC ? 72 : 71);
}

bool launch_start(struct launch *launch)
{
	launch->pid = fork();
	if (launch->pid == 0)
		become_program(launch);
	if (launch->pid > 0)
		launch->pid_fd = (int)syscall(SYS_pidfd_open, launch->pid, 0);
	return launch->pid > 0 && launch->pid_fd >= 0;
}

int launch_wait(struct launch *launch)
{
	int status = 0;

	while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
		;
	launch->pid = 0;
	return status;
}

int launch_kill(struct launch *launch)
{
	if (launch->pid <= 0)
		return 0;
	(void)kill(-launch->pid, SIGKILL);
	return launch_wait(launch);
}

void launch_fini(struct launch *launch)
{
	if (launch->pid_fd >= 0)
		close(launch->pid_fd);
	for (size_t i = 0; i < launch->variables; i++)
		pr_free(launch->environment[i]);
}
