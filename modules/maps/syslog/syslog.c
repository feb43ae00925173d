/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writes the key into the log; the value is empty.
 * The line goes the way of all lines of the kernel, which makes it safe to print.
 */
#include <postrider/mapflags.h>

struct syslog_map {
	struct pr_map_flags flags;
	struct pr_str level_name;
	uint32_t level;
};

static const struct {
	const char *name;
	uint32_t level;
} levels[] = { { "emerg", 0 }, { "alert", 1 }, { "crit", 2 }, { "err", 3 }, { "warning", 4 }, { "notice", 5 }, { "info", 6 }, { "debug", 7 } };

static bool find_level(struct pr_str name, uint32_t *level_out)
{
	uint64_t number = 0;

	if (pr_str_number(name, 7, &number)) {
		*level_out = (uint32_t)number;
		return true;
	}
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (pr_str_equal_nocase(pr_str(levels[i].name), name)) {
			*level_out = levels[i].level;
			return true;
		}
	return false;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct syslog_map *map = call->instance;

	(void)args;
	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	call->host->log(call, map->level, "%.*s", PR_PRINT(key));
	*value_out = PR_STR("");
	return PR_OK;
}

static const struct pr_map_flag letters[] = { PR_MAP_FLAG('L', PR_MAP_WORD, struct syslog_map, level_name), PR_MAP_FLAG_END };

static enum pr_status check(struct pr_call *call)
{
	struct syslog_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (status == PR_OK && !find_level(map->level_name, &map->level))
		return pr_fail(call, PR_MISUSE, "level: %.*s is none of emerg alert crit err warning notice info debug", PR_PRINT(map->level_name));
	return status;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct syslog_map, flags),
	PR_OPTION(struct syslog_map, level_name, "level", PR_OPTION_STRING, 0, "info", "emerg alert crit err warning notice info or debug (-L)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(syslog) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct syslog_map), .name = "syslog",
	.version = "1.0", .summary = "writes keys into the log", .options = options, .check = check, .ops = &ops };
