/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An address turned round as DNS has it: 192.0.2.1 is 1.2.0.192, an IPv6 address its 32 digits from the last to the first.
 * The domain behind it (in-addr.arpa, or that of a block list) is the rule's.
 */
#include <postrider/mapflags.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

struct arpa_map {
	struct pr_map_flags flags;
};

static bool parse(int family, struct pr_str text, unsigned char *bytes)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, bytes) == 1;
}

static struct pr_str reverse(struct pr_call *call, struct pr_str key)
{
	unsigned char b[16];
	char digits[65];
	size_t length = 0;

	if (!pr_str_has_prefix_nocase(key, PR_STR("IPv6:")))
		return parse(AF_INET, key, b) ? pr_arena_printf(call->arena, "%u.%u.%u.%u", b[3], b[2], b[1], b[0]) : PR_NONE;
	if (!parse(AF_INET6, pr_str_slice(key, 5, key.len), b))
		return PR_NONE;
	for (int i = 15; i >= 0; i--)
		length += (size_t)pr_print(digits + length, sizeof digits - length, "%x.%x%s", b[i] & 15u, (unsigned int)b[i] >> 4, i > 0 ? "." : "");
	return pr_arena_copy(call->arena, pr_str(digits));
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct arpa_map *map = call->instance;
	struct pr_str raw = reverse(call, key);

	return pr_map_answer(call, &map->flags, raw.data == NULL ? PR_NOTFOUND : PR_OK, key, args, raw, value_out);
}

static enum pr_status check(struct pr_call *call)
{
	struct arpa_map *map = call->instance;

	return pr_map_flags_parse(call, NULL, map, &map->flags);
}

static const struct pr_option options[] = { PR_MAP_OPTIONS(struct arpa_map, flags), PR_OPTION_END };
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(arpa) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct arpa_map), .name = "arpa",
	.version = "1.0", .summary = "addresses turned round", .options = options, .check = check, .ops = &ops };
