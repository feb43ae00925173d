/* SPDX-License-Identifier: BSD-2-Clause
 *
 * /usr/sbin/sendmail: submits by itself, and becomes the full program for everything else.
 * Small, because it runs a thousand times where the daemon runs once: no OpenSSL, no loader, no configuration parser.
 */
#include "kernel/command/sendmail/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Tests say POSTRIDER_BIN; a build tree has the full program beside this one. */
static const char *full_program(char *room, size_t size)
{
	static const char name[] = "/postrider";
	const char *told = secure_getenv("POSTRIDER_BIN");

	if (told != NULL && told[0] == '/')
		return told;
	ssize_t len = readlink("/proc/self/exe", room, size - sizeof name);
	if (len <= 0)
		return SBIN_DIR "/postrider";
	room[len] = '\0';
	char *slash = strrchr(room, '/');
	if (slash == NULL)
		return SBIN_DIR "/postrider";
	memcpy(slash, name, sizeof name);
	return access(room, X_OK) == 0 ? room : SBIN_DIR "/postrider";
}

static int become_full(char **argv)
{
	char room[PATH_MAX];
	const char *path = full_program(room, sizeof room);

	(void)execv(path, argv);
	fprintf(stderr, "sendmail: cannot run %s: %s\n", path, strerror(errno));
	return EX_OSFILE;
}

/* A closed 0, 1 or 2 would be taken by the next file we open, and our words would go into it. */
static bool standard_files(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return false;
	return true;
}

static bool has_other_name(const char *program)
{
	return strcmp(program, "makemap") == 0 || strcmp(program, "postriderctl") == 0 ||
	       strcmp(program, "postrider") == 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct pr_text error;

	if (!standard_files() || argc < 1)
		return EX_OSERR;
	pr_text_init(&error, 1000);
	int status = arguments_parse(argc, argv, &arguments, &error);
	if (has_other_name(arguments.program))
		status = become_full(argv);
	else if (status != EX_OK)
		fprintf(stderr, "%s\n", error.data);
	else if (arguments.mode == 'm' || arguments.mode == 'a') {
		(void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error we can tell, and its beginning is removed */
		status = submit_main(&arguments);
	} else if (arguments.mode == 's')
		status = proxy_main(&arguments);
	else
		status = become_full(argv);
	arguments_fini(&arguments);
	pr_text_fini(&error);
	return status;
}
