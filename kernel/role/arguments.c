/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of options, one function each.  Every value is checked although only the master writes these lines: a role started
 * by hand should get a sentence, not a crash.
 */
#include "kernel/role/arguments.h"

#include "kernel/net/traffic.h"

#include <string.h>

static bool take_number(const char *value, uint64_t max, uint64_t *number_out)
{
	return pr_str_number(pr_str(value), max, number_out);
}

static bool take_fd(const char *value, int *fd_out)
{
	uint64_t number;

	if (!take_number(value, 1 << 20, &number))
		return false;
	*fd_out = (int)number;
	return true;
}

static bool set_role(struct role_arguments *arguments, const char *value)
{
	arguments->role.name = value;
	return true;
}

static bool set_config(struct role_arguments *arguments, const char *value)
{
	arguments->role.config_path = value;
	return true;
}

static bool set_routing(struct role_arguments *arguments, const char *value)
{
	arguments->role.routing_path = value;
	return true;
}

static bool set_generation(struct role_arguments *arguments, const char *value)
{
	uint64_t number = 0;
	bool good = take_number(value, UINT32_MAX, &number);

	arguments->role.generation = (uint32_t)number;
	return good;
}

static bool set_master_uid(struct role_arguments *arguments, const char *value)
{
	uint64_t number = 0;
	bool good = take_number(value, UINT32_MAX, &number);

	arguments->role.master_uid = (uint32_t)number;
	return good;
}

static bool set_channel(struct role_arguments *arguments, const char *value)
{
	return take_fd(value, &arguments->role.channel);
}

static bool set_wake(struct role_arguments *arguments, const char *value)
{
	return take_fd(value, &arguments->role.wake);
}

static bool set_files(struct role_arguments *arguments, const char *value)
{
	return take_fd(value, &arguments->role.files);
}

static bool set_statistics(struct role_arguments *arguments, const char *value)
{
	return take_fd(value, &arguments->role.statistics);
}

/* FD:COLUMN */
static bool set_traffic(struct role_arguments *arguments, const char *value)
{
	struct pr_str text = pr_str(value);
	size_t colon = pr_str_find(text, ':');
	uint64_t fd, column;

	if (!pr_str_number(pr_str_slice(text, 0, colon), 1 << 20, &fd) ||
	    !pr_str_number(pr_str_slice(text, colon + 1, text.len), TRAFFIC_COLUMNS - 1, &column))
		return false;
	arguments->role.traffic = (int)fd;
	arguments->role.column = (uint32_t)column;
	return true;
}

static bool set_queue_interval(struct role_arguments *arguments, const char *value)
{
	uint64_t number = 0;
	bool good = take_number(value, INT32_MAX, &number);

	arguments->role.queue_interval = (int64_t)number;
	return good;
}

static bool take_flag(const char *value, uint32_t *flag_out)
{
	uint64_t number = 0;
	bool good = take_number(value, 1, &number);

	*flag_out = (uint32_t)number;
	return good;
}

static bool set_persistent(struct role_arguments *arguments, const char *value)
{
	return take_flag(value, &arguments->role.persistent);
}

static bool set_selected(struct role_arguments *arguments, const char *value)
{
	return take_flag(value, &arguments->role.selected);
}

static bool set_verbose(struct role_arguments *arguments, const char *value)
{
	return take_flag(value, &arguments->role.verbose);
}

static bool set_trace(struct role_arguments *arguments, const char *value)
{
	return take_fd(value, &arguments->role.trace);
}

static bool set_log(struct role_arguments *arguments, const char *value)
{
	arguments->log = value;
	return true;
}

static bool set_identity(struct role_arguments *arguments, const char *value)
{
	arguments->identity = value;
	return true;
}

/* NAME:FD:SUBMISSION */
static bool add_listener(struct role_arguments *arguments, const char *value)
{
	struct pr_str text = pr_str(value);
	size_t second = pr_str_find_last(text, ':');
	size_t first = pr_str_find_last(pr_str_slice(text, 0, second), ':');
	uint64_t fd, submission;

	if (arguments->role.listener_count == ROLE_LISTENERS_MAX || first >= second || second == text.len)
		return false;
	if (!pr_str_number(pr_str_slice(text, first + 1, second), 1 << 20, &fd) ||
	    !pr_str_number(pr_str_slice(text, second + 1, text.len), 1, &submission))
		return false;
	arguments->listeners[arguments->role.listener_count++] =
	    (struct role_listener){.fd = (int)fd, .submission = (uint32_t)submission, .name = pr_str_slice(text, 0, first)};
	return true;
}

static bool add_override(struct role_arguments *arguments, const char *value)
{
	if (arguments->role.overrides.count == ROLE_OVERRIDES_MAX)
		return false;
	arguments->overrides[arguments->role.overrides.count++] = pr_str(value);
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct role_arguments *arguments, const char *value);
} rows[] = {
    {"--role", set_role},           {"--config", set_config},   {"--routing", set_routing},
    {"--channel", set_channel},     {"--wake", set_wake},       {"--generation", set_generation},
    {"--listen", add_listener},     {"-O", add_override},       {"--queue-interval", set_queue_interval},
    {"--selected", set_selected},   {"--verbose", set_verbose}, {"--statistics", set_statistics},
    {"--traffic", set_traffic},     {"--persistent", set_persistent}, {"--files", set_files},
    {"--trace", set_trace},
    {"--master-uid", set_master_uid}, {"--log", set_log},        {"--identity", set_identity},
};

const char *role_name(int argc, char **argv)
{
	return argc > 2 && strcmp(argv[1], "--role") == 0 ? argv[2] : NULL;
}

static bool take_pair(struct role_arguments *arguments, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].take(arguments, value);
	return false;
}

bool role_arguments_parse(int argc, char **argv, struct role_arguments *arguments, struct pr_text *why)
{
	memset(arguments, 0, sizeof *arguments);
	arguments->role.channel = arguments->role.files = arguments->role.wake = arguments->role.statistics = arguments->role.traffic = -1;
	arguments->role.listeners = arguments->listeners;
	arguments->role.overrides.items = arguments->overrides;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && take_pair(arguments, argv[i], argv[i + 1]))
			continue;
		pr_text_addf(why, "bad argument %s %s", argv[i], i + 1 < argc ? argv[i + 1] : "");
		return false;
	}
	if (arguments->role.config_path == NULL || arguments->role.channel < 0) {
		pr_text_add_c(why, "a role is started by the master, not by hand");
		return false;
	}
	return true;
}
