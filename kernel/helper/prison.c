/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A changed root for a program that has no right to change it: in a user namespace of its own, where its one user is itself, it may.  With the
 * program's start all that it could there is gone again, for it is not root in there.
 */
#include "kernel/helper/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool write_map(const char *path, unsigned int id)
{
	char line[64];

	snprintf(line, sizeof line, "%u %u 1\n", id, id);
	return write_file(path, line);
}

bool prison_enter(const char *root)
{
	unsigned int user = (unsigned int)geteuid(), group = (unsigned int)getegid();

	if (root[0] != '/')
		return false;
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else its own files in /proc are not its own */
	if (unshare(CLONE_NEWUSER) != 0 || !write_file("/proc/self/setgroups", "deny") || !write_map("/proc/self/uid_map", user) ||
	    !write_map("/proc/self/gid_map", group))
		return false;
	return chroot(root) == 0 && chdir("/") == 0;
}
