/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys are root's, and receiver and courier are not: the master opens for them what the frozen table names, for reading and nothing else.
 *
 * A role in strange hands gets what it had in memory anyway.  It cannot have another file put in the place of one: root alone must be able to write to
 * the file and to each directory on the way to it, else it is not lent.
 */
#include "kernel/master/state.h"

#include "kernel/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_listed(const struct table *table, struct pr_str path)
{
	for (size_t i = 0; i < table->file_count; i++)
		if (pr_str_equal(path, pr_str(table->files[i])))
			return true;
	return false;
}

/* A file that is not there is the role's to complain of.  A role asks again and again for a file that may be replaced: why it is not lent is said once. */
static bool is_roots(const char *path)
{
	static char said[TABLE_PATH_MAX];
	struct pr_text why;
	struct stat info;

	if (stat(path, &info) != 0)
		return true;
	pr_text_init(&why, 900);
	bool good = pr_file_is_trusted(path, (uint32_t)geteuid(), &why);
	if (good && strcmp(said, path) == 0)
		said[0] = '\0';
	if (!good && strcmp(said, path) != 0) {
		log_line(LOGP_ERR, NULL, "%s is not for us to lend to receiver or courier: %s", path, why.data);
		(void)pr_print(said, sizeof said, "%s", path);
	}
	pr_text_fini(&why);
	return good;
}

static int open_file(const struct table *table, struct pr_str path, int *fd_out)
{
	char copy[TABLE_PATH_MAX];
	struct stat info;

	if (!is_listed(table, path))
		return EACCES;
	(void)pr_print(copy, sizeof copy, "%.*s", PR_PRINT(path));
	if (!is_roots(copy))
		return EACCES;
	*fd_out = open(copy, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd_out < 0)
		return errno;
	if (fstat(*fd_out, &info) == 0 && S_ISREG(info.st_mode))
		return 0;
	close(*fd_out);
	*fd_out = -1;
	return EINVAL;
}

void files_serve(const struct generation *generation, struct child *child)
{
	struct channel_message question;
	int fd, got = channel_receive(child->files, &question, &fd, 0);

	if (fd >= 0)
		close(fd);
	if (got == 0)
		child_close_files(child);
	if (got <= 0 || question.kind != CHANNEL_FILE)
		return;
	int lent = -1, error = open_file(&generation->table, (struct pr_str){question.text, question.length}, &lent);
	(void)channel_send(child->files, CHANNEL_FILE, question.serial, error, PR_STR(""), lent);
	if (lent >= 0)
		close(lent);
}
