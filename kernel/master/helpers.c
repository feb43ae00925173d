/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier names a user, and nothing else: the account, the mailbox paths and the rights come from the user database and the frozen
 * table.  So a courier in strange hands can put mail into mailboxes, which is its trade, but run or write nothing else as anybody.
 */
#include "kernel/master/state.h"

#include "kernel/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELPER_FD 3
#define ARGUMENTS_MAX 96
#define KEPT_VARIABLES 8

struct launch {
	struct identity identity;
	const char *rights;
	char *arguments[ARGUMENTS_MAX + 1];
	size_t argument_count;
	char *environment[KEPT_VARIABLES + 4];
	size_t environment_count;
};

static void add(struct launch *launch, const char *text)
{
	if (launch->argument_count < ARGUMENTS_MAX)
		launch->arguments[launch->argument_count++] = pr_copy_c(text);
}

static void add_variable(struct launch *launch, const char *name, const char *value)
{
	struct pr_text text;

	if (value == NULL || launch->environment_count + 1 >= sizeof launch->environment / sizeof launch->environment[0])
		return;
	pr_text_init(&text, 4096);
	if (pr_text_addf(&text, "%s=%s", name, value))
		launch->environment[launch->environment_count++] = pr_copy_c(text.data);
	pr_text_fini(&text);
}

/* "mbox:/var/mail/joe" from "/var/mail/%u" or "~/mbox" */
static void add_mailbox(struct launch *launch, const struct table_mailbox *mailbox, const char *user)
{
	struct pr_text text;
	const char *at = mailbox->pattern;

	pr_text_init(&text, 2 * TABLE_PATH_MAX);
	pr_text_add_c(&text, mailbox->maildir ? "maildir:" : "mbox:");
	if (at[0] == '~') {
		pr_text_add_c(&text, launch->identity.home);
		at++;
	}
	for (; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'u') {
			pr_text_add_c(&text, user);
			at++;
		} else {
			pr_text_add_byte(&text, *at);
		}
	}
	if (!text.overflow) {
		add(launch, "--mailbox");
		add(launch, text.data);
	}
	pr_text_fini(&text);
}

/* Debian's /var/mail is root:mail 2775: whoever makes a mailbox or a lock there needs that group as its main one
 * (so that the user's own processes, which have another, cannot trace this one). */
static void lend_group(struct launch *launch, const struct table *table)
{
	struct stat info;

	for (size_t i = 0; i < table->mailbox_count; i++) {
		const struct table_mailbox *mailbox = &table->mailboxes[i];
		const char *slash = strrchr(mailbox->pattern, '/');
		if (mailbox->maildir || mailbox->pattern[0] == '~' || slash == NULL || slash == mailbox->pattern)
			continue;
		char *directory = pr_copy_str((struct pr_str){mailbox->pattern, (size_t)(slash - mailbox->pattern)});
		if (strchr(directory, '%') == NULL && lstat(directory, &info) == 0 && S_ISDIR(info.st_mode) &&
		    info.st_uid == 0 && info.st_gid != 0 && (info.st_mode & 0022) == 0020)
			identity_set_group(&launch->identity, info.st_gid);
		pr_free(directory);
	}
}

static bool is_account(const struct table *table, struct pr_str name)
{
	for (size_t i = 0; i < table->account_count; i++)
		if (pr_str_equal(name, pr_str(table->accounts[i].spec)))
			return true;
	return false;
}

static enum pr_status find_account(const struct master *master, const struct table *table, struct pr_str name,
                                   struct launch *launch, struct pr_text *why)
{
	bool listed = is_account(table, name);

	if (name.len > 0 && !table_name_is_valid(name) && !listed) {
		pr_text_add_c(why, "this is no name of a user");
		return PR_NOTFOUND;
	}
	if (!master->privileged) {
		launch->identity = master->self;
		launch->rights = "all";
		return PR_OK;
	}
	if (name.len == 0) {
		launch->rights = "default";
		return identity_find_default(table->default_user[0] != '\0' ? table->default_user : "nobody",
		                             &launch->identity, why);
	}
	char *user = pr_copy_str(name);
	enum pr_status status = listed ? identity_find_default(user, &launch->identity, why) : identity_find(user, &launch->identity, why);
	pr_free(user);
	launch->rights = "mailbox";
	if (status == PR_OK && !listed && launch->identity.uid != 0)
		lend_group(launch, table);
	return status;
}

static void prepare(const struct table *table, struct pr_str name, struct launch *launch)
{
	static const char *const kept[] = {"TZ", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
	char *user = name.len > 0 && !is_account(table, name) ? pr_copy_str(name) : pr_copy_c(launch->identity.name);

	add(launch, "postrider");
	add(launch, "--role");
	add(launch, "helper");
	add(launch, "--channel");
	add(launch, "3");
	add(launch, "--user");
	add(launch, user);
	add(launch, "--home");
	add(launch, launch->identity.home);
	add(launch, "--shell");
	add(launch, launch->identity.shell);
	add(launch, "--rights");
	add(launch, launch->rights);
	for (size_t i = 0; i < table->mailbox_count; i++)
		add_mailbox(launch, &table->mailboxes[i], user);
	for (size_t i = 0; i < table->program_count; i++) {
		add(launch, "--program");
		add(launch, table->programs[i].text);
	}
	add_variable(launch, "PATH", "/usr/bin:/bin");
	/* the master's own surroundings, as root gave them; a delivered-to program sees none of these */
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		add_variable(launch, kept[i], getenv(kept[i]));
	pr_free(user);
}

__attribute__((noreturn)) static void become_helper(const struct launch *launch, int fd)
{
	int null = open("/dev/null", O_RDWR);

	spawn_clean_process();
	umask(077);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(71);
	if (fd != HELPER_FD ? dup2(fd, HELPER_FD) < 0 : fcntl(fd, F_SETFD, 0) != 0)
		_exit(71);
	if (close_range(HELPER_FD + 1, ~0U, 0) != 0 || chdir("/") != 0 || !identity_become(&launch->identity))
		_exit(77);
	execve("/proc/self/exe", launch->arguments, launch->environment);
	_exit(71);
}

static pid_t start(struct launch *launch, int *fd_out)
{
	int pair[2];

	if (!channel_pair(pair))
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		become_helper(launch, pair[1]);
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		*fd_out = pair[0];
	return pid;
}

static void launch_free(struct launch *launch)
{
	for (size_t i = 0; i < launch->argument_count; i++)
		pr_free(launch->arguments[i]);
	for (size_t i = 0; i < launch->environment_count; i++)
		pr_free(launch->environment[i]);
	pr_free(launch);
}

static enum pr_status launch_helper(struct master *master, const struct table *table, struct pr_str name, int *fd_out,
                                    struct pr_text *why)
{
	struct launch *launch = pr_alloc(sizeof *launch);
	size_t slot = 0;
	enum pr_status status = find_account(master, table, name, launch, why);

	while (slot < MASTER_HELPERS_MAX && master->helpers[slot] != 0)
		slot++;
	if (status == PR_OK && slot == MASTER_HELPERS_MAX) {
		pr_text_addf(why, "%d helpers are running already", MASTER_HELPERS_MAX);
		status = PR_TEMPFAIL;
	}
	if (status == PR_OK) {
		prepare(table, name, launch);
		pid_t pid = start(launch, fd_out);
		if (pid > 0)
			master->helpers[slot] = pid;
		else {
			pr_text_addf(why, "cannot start a helper: %s", strerror(errno));
			status = PR_TEMPFAIL;
		}
	}
	launch_free(launch);
	return status;
}

void helpers_serve(struct master *master, const struct generation *generation, struct child *courier,
                   const struct channel_message *request)
{
	struct pr_str name = {request->text, request->length};
	struct pr_text why;
	int fd = -1;

	pr_text_init(&why, 500);
	enum pr_status status = launch_helper(master, &generation->table, name, &fd, &why);
	if (!channel_send(courier->channel, CHANNEL_HELPER, request->serial, status, pr_text_str(&why), fd))
		log_line(LOGP_WARNING, NULL, "cannot answer the courier: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	pr_text_fini(&why);
}

bool helpers_gone(struct master *master, pid_t pid)
{
	for (size_t i = 0; i < MASTER_HELPERS_MAX; i++) {
		if (master->helpers[i] == pid) {
			master->helpers[i] = 0;
			return true;
		}
	}
	return false;
}
