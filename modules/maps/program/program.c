/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program as a map: it is called with its first arguments and the key, and the first line it prints is the value.
 * An exit status of 75 is a temporary failure, any other but 0 "not found", and so is a program that says nothing.
 */
#include "run.h"

#include <postrider/mapflags.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WORDS_MAX 64

struct program_map {
	struct pr_map_flags flags;
	struct pr_str path;
	struct pr_list arguments; /* before the key */
	int64_t timeout;
};

/* The words of the command in the arena, the key behind them. */
static char **command_of(struct pr_call *call, struct pr_str key)
{
	const struct program_map *map = call->instance;
	char **argv = pr_arena_alloc(call->arena, (WORDS_MAX + 3) * sizeof *argv);
	struct pr_str rest = map->flags.words, word;
	size_t count = 0;

	if (argv == NULL)
		return NULL;
	if (map->path.len > 0)
		argv[count++] = (char *)(uintptr_t)pr_arena_copy(call->arena, map->path).data;
	for (size_t i = 0; i < map->arguments.count && count < WORDS_MAX; i++)
		argv[count++] = (char *)(uintptr_t)pr_arena_copy(call->arena, map->arguments.items[i]).data;
	while (count < WORDS_MAX && pr_map_word(&rest, &word))
		argv[count++] = (char *)(uintptr_t)pr_arena_copy(call->arena, word).data;
	argv[count++] = (char *)(uintptr_t)pr_arena_copy(call->arena, key).data;
	for (size_t i = 0; i < count; i++)
		if (argv[i] == NULL)
			return NULL;
	return argv;
}

/* DefaultUser, when this process may become somebody else. */
static bool find_user(struct pr_call *call, struct run *run)
{
	struct pr_str name = call->host->option(call, PR_STR("DefaultUser"));
	struct passwd entry, *found = NULL;
	char buffer[4096];

	if (geteuid() != 0)
		return true;
	name = pr_arena_copy(call->arena, pr_str_slice(name, 0, pr_str_find(name, ':')));
	if (name.len == 0)
		name = PR_STR("nobody");
	if (getpwnam_r(name.data, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
		return false;
	run->uid = found->pw_uid;
	run->gid = found->pw_gid;
	return true;
}

static enum pr_status look(struct pr_call *call, struct pr_str key, struct run *run)
{
	const struct program_map *map = call->instance;

	if (pr_map_is_deferred(call, &map->flags) || memchr(key.data, '\0', key.len) != NULL)
		return PR_NOTFOUND;
	char **argv = command_of(call, key);
	run->argv = argv;
	run->timeout_ms = pr_call_remaining(call, map->timeout * 1000);
	if (argv == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the command");
	if (!find_user(call, run))
		return pr_fail(call, PR_TEMPFAIL, "DefaultUser is no account here");
	if (!run_program(run))
		return pr_fail(call, run->error == ENOENT || run->error == EACCES || run->error == ENOEXEC ? PR_MISUSE : PR_TEMPFAIL, "%s: %s",
		    argv[0], strerror(run->error));
	if (run->exit_status == EX_TEMPFAIL || run->exit_status == RUN_KILLED)
		return pr_fail(call, PR_TEMPFAIL, run->exit_status == RUN_KILLED ? "%s: killed by a signal" : "%s: exit status 75", argv[0]);
	return run->exit_status == 0 && run->length > 0 ? PR_OK : PR_NOTFOUND;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct program_map *map = call->instance;
	struct run run = {0};
	enum pr_status status = look(call, key, &run);

	return pr_map_answer(call, &map->flags, status, key, args, (struct pr_str){ run.line, run.length }, value_out);
}

static enum pr_status check(struct pr_call *call)
{
	struct program_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, NULL, map, &map->flags);
	struct pr_str rest = map->flags.words, path = map->path;

	if (status != PR_OK)
		return status;
	if (path.len == 0)
		pr_map_word(&rest, &path);
	if (path.len == 0 || path.data[0] != '/')
		return pr_fail(call, PR_MISUSE, "program: the absolute path of the program is missing");
	if (map->timeout <= 0)
		return pr_fail(call, PR_MISUSE, "timeout: a program gets at least a second");
	return PR_OK;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct program_map, flags),
	PR_OPTION(struct program_map, path, "program", PR_OPTION_PATH, 0, NULL, "the program"),
	PR_OPTION(struct program_map, arguments, "program_arguments", PR_OPTION_LIST, 0, NULL, "its first arguments; the key is the last"),
	PR_OPTION(struct program_map, timeout, "timeout", PR_OPTION_TIME, 0, "60s", "then it is ended, and could not be asked"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(program) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct program_map), .name = "program",
	.version = "1.0", .summary = "asks a program", .options = options, .check = check, .ops = &ops };
