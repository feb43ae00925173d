/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor, and the table of mechanisms.
 */
#include "map.h"

#include <string.h>

static const struct pr_option options[] = {
    PR_OPTION(struct auth_map, map, "map", PR_OPTION_STRING, PR_OPTION_REQUIRED, NULL, "the declared map: names, and their verifiers"),
    PR_OPTION(struct auth_map, mechanisms, "mechanisms", PR_OPTION_LIST, 0, "SCRAM-SHA-256,SCRAM-SHA-1,PLAIN,LOGIN", "which of these four are offered"),
    PR_OPTION(struct auth_map, without_tls, "without_tls", PR_OPTION_BOOL, 0, "no", "PLAIN and LOGIN without TLS, too"),
    PR_OPTION_END,
};

static const struct mechanism {
	struct pr_str name;
	uint32_t properties;
	enum pr_status (*step)(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step);
} table[] = {
    {PR_STR_INIT("SCRAM-SHA-256"), PR_AUTH_IS_MUTUAL, scram_sha256},
    {PR_STR_INIT("SCRAM-SHA-1"), PR_AUTH_IS_MUTUAL, scram_sha1},
    {PR_STR_INIT("PLAIN"), PR_AUTH_IS_PLAINTEXT | PR_AUTH_HAS_CREDENTIALS, password_plain},
    {PR_STR_INIT("LOGIN"), PR_AUTH_IS_PLAINTEXT | PR_AUTH_HAS_CREDENTIALS, password_login},
};

static const struct mechanism *find(struct pr_str name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (pr_str_equal_nocase(table[i].name, name))
			return &table[i];
	return NULL;
}

static enum pr_status check(struct pr_call *call)
{
	const struct auth_map *map = call->instance;

	for (size_t i = 0; i < map->mechanisms.count; i++)
		if (find(map->mechanisms.items[i]) == NULL)
			return pr_fail(call, PR_MISUSE, "mechanisms: \"%.*s\" is none of SCRAM-SHA-256, SCRAM-SHA-1, PLAIN and LOGIN", PR_PRINT(map->mechanisms.items[i]));
	if (!call->host->map_exists(call, map->map))
		return pr_fail(call, PR_MISUSE, "map: there is no map %.*s; declare it in maps", PR_PRINT(map->map));
	return PR_OK;
}

static enum pr_status open_module(struct pr_call *call)
{
	struct auth_map *map = call->instance;

	return hash_random(map->secret, sizeof map->secret) ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no random numbers");
}

static enum pr_status mechanisms(struct pr_call *call, uint32_t flags, struct pr_list *names_out)
{
	const struct auth_map *map = call->instance;
	struct pr_str *names = pr_arena_alloc(call->arena, (map->mechanisms.count + 1) * sizeof *names);
	size_t count = 0;

	if (names == NULL)
		return pr_fail(call, PR_TEMPFAIL, "too much memory");
	if (map->without_tls == 0)
		flags |= PR_AUTH_NO_PLAINTEXT;
	for (size_t i = 0; i < map->mechanisms.count; i++) {
		const struct mechanism *mechanism = find(map->mechanisms.items[i]);
		if (mechanism != NULL && pr_auth_is_wanted(flags, mechanism->properties))
			names[count++] = mechanism->name;
	}
	*names_out = (struct pr_list){names, count};
	return PR_OK;
}

bool map_is_name(struct pr_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7f)
			return false;
	return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

enum pr_status map_refuse(struct pr_call *call, struct pr_auth_step *step, const char *name, const char *why)
{
	step->name = pr_arena_copy(call->arena, pr_str(name));
	return pr_fail(call, PR_NOTFOUND, "%s", why);
}

static enum pr_status server_step(struct pr_call *call, struct pr_auth_step *step)
{
	const struct mechanism *mechanism = find(step->mechanism);

	if (mechanism == NULL)
		return pr_fail(call, PR_MISUSE, "there is no mechanism %.*s here", PR_PRINT(step->mechanism));
	return mechanism->step(call, call->session, step);
}

static void server_end(struct pr_call *call)
{
	explicit_bzero(call->session, sizeof(struct map_exchange));
}

static const struct pr_auth_ops ops = {
    .size = sizeof ops,
    .mechanisms = mechanisms,
    .server_step = server_step,
    .server_end = server_end,
};

PR_MODULE(map) = {
    PR_MODULE_HEAD(PR_KIND_AUTH),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct auth_map),
    .session_size = sizeof(struct map_exchange),
    .name = "map",
    .version = "1.0",
    .summary = "holds passwords against the verifiers of a map",
    .options = options,
    .check = check,
    .open = open_module,
    .ops = &ops,
};
