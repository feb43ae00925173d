/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name switch: maps in the order of the service switch file.
 * For a map "ali" and a line "aliases files nis" the members are ali.files and ali.nis; one that is not declared is left out with a word in
 * the log, because a switch file names services that this site need not have.
 */
#include "members.h"
#include "services.h"

static enum pr_status check(struct pr_call *call)
{
	struct members *members = call->instance;
	enum pr_status status = pr_map_flags_parse(call, NULL, members, &members->flags);
	struct pr_str rest = members->flags.words;

	if (status == PR_OK && members->service.len == 0)
		pr_map_word(&rest, &members->service);
	if (status == PR_OK && members->service.len == 0)
		return pr_fail(call, PR_MISUSE, "service: the name of the service is missing");
	return status;
}

static enum pr_status open_map(struct pr_call *call)
{
	struct members *members = call->instance;
	struct pr_str services = PR_NONE, word, own = pr_own_name(call);
	enum pr_status status = services_find(call, members->file, members->service, &services);

	while (status == PR_OK && pr_map_word(&services, &word)) {
		struct pr_str name = pr_arena_printf(call->arena, "%.*s.%.*s", PR_PRINT(own), PR_PRINT(word));
		if (call->host->map_exists(call, name))
			members_add(members, name);
		else
			call->host->log(call, PR_LOG_WARNING, "unknown member map %.*s", PR_PRINT(name));
	}
	return status;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct members, flags),
	PR_OPTION(struct members, service, "service", PR_OPTION_STRING, 0, NULL, "the line of the service switch file"),
	PR_OPTION(struct members, file, "service_switch", PR_OPTION_PATH, 0, NULL, "the service switch file; else ServiceSwitchFile"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = members_lookup };

PR_MODULE(switch) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct members), .name = "switch",
	.version = "1.0", .summary = "maps in the order of the service switch file", .options = options, .check = check, .open = open_map,
	.close = members_close, .ops = &ops };
