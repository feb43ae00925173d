/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl check: the configuration and every module's own check(), exactly as a new generation would see them,
 * and nothing opened.  Success is shown as what would run, because "ok" alone hides a forgotten listener.
 */
#include "kernel/command/modes.h"

#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static const char *kind_name(uint32_t kind)
{
	static const char *const names[] = {"", "map", "mailer", "filter", "rules", "store", "auth"};

	return kind < sizeof names / sizeof names[0] ? names[kind] : "";
}

static void show_listener(const struct config_listener *listener)
{
	if (listener->path.len > 0)
		printf("listener %.*s %.*s mode %04o%s\n", PR_PRINT(listener->name), PR_PRINT(listener->path),
		    (unsigned int)listener->mode, listener->submission ? " (local submission)" : "");
	else
		printf("listener %.*s %.*s port %u\n", PR_PRINT(listener->name), PR_PRINT(listener->address),
		    (unsigned int)listener->port);
}

static void show(const struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++)
		show_listener(&config->listeners[i]);
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];
		printf("%s %.*s module %.*s\n", kind_name(instance->kind), PR_PRINT(instance->name),
		    PR_PRINT(instance->module));
	}
	printf("queue %.*s\n", PR_PRINT(config->options.queue_directory));
	printf("%s", config->notices.data);
	printf("%.*s: no errors\n", PR_PRINT(config->path));
}

/* Only root's daemon becomes these users, so only root is told that they are missing. */
static int check_users(const struct config *config)
{
	const struct pr_str names[] = {config->receiver_user, config->courier_user};
	const struct config_place *places[] = {&config->receiver_place, &config->courier_place};
	int status = EX_OK;

	for (size_t i = 0; geteuid() == 0 && i < 2; i++) {
		char *name = pr_copy_str(names[i]);
		if (getpwnam(name) == NULL) {
			fprintf(stderr, places[i]->line > 0 ? "%s:%u: " : "%s: ", places[i]->file, places[i]->line);
			fprintf(stderr, "users: there is no user %s for the %s; create it with adduser --system, or name another one\n", name,
			    i == 0 ? "receiver" : "courier");
			status = EX_CONFIG;
		}
		pr_free(name);
	}
	return status;
}

int check_mode(const struct arguments *arguments)
{
	struct tool tool;

	int status = tool_open(arguments, MODULE_ROLE_CHECK, &tool);
	if (status != EX_OK)
		return status;
	status = check_users(tool.config);
	if (check_paths(tool.config) != EX_OK)
		status = EX_CONFIG;
	if (status == EX_OK)
		check_routes(arguments);
	if (status == EX_OK)
		show(tool.config);
	tool_close(&tool);
	return status;
}
