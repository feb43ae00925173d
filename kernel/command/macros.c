/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Macros of a command: there is no message, so only this moment and who asks are known.
 */
#include "kernel/command/modes.h"

#include "kernel/mail/header.h"
#include "kernel/queue/load.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

static struct pr_str op_mode(struct tool *tool)
{
	return pr_arena_printf(&tool->arena, "%c", tool->mode);
}

static struct pr_str load_avg(struct tool *tool)
{
	return pr_arena_printf(&tool->arena, "%lld", (long long)load_average(&tool->config->options));
}

static struct pr_str delivery_mode(struct tool *tool)
{
	(void)tool;
	return PR_STR("i");
}

static struct pr_str quarantine(struct tool *tool)
{
	(void)tool;
	return PR_STR("");
}

static struct pr_str date(struct tool *tool)
{
	time_t now = time(NULL);
	struct tm here = {0};

	localtime_r(&now, &here);
	return mail_date(&tool->arena, now, (int32_t)here.tm_gmtoff);
}

/* Who calls. */
static struct pr_str client(struct tool *tool)
{
	const struct passwd *entry = getpwuid(getuid());

	return pr_arena_printf(&tool->arena, "%s@localhost", entry != NULL ? entry->pw_name : "unknown");
}

static const struct {
	const char *name;
	struct pr_str (*value)(struct tool *tool);
} rows[] = {
    {"_", client}, {"b", date}, {"deliveryMode", delivery_mode}, {"load_avg", load_avg}, {"opMode", op_mode}, {"quarantine", quarantine},
};

struct pr_str tool_macro(void *context, struct pr_str name)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_equal(pr_str(rows[i].name), name))
			return rows[i].value(context);
	return PR_NONE;
}
