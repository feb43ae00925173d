/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where mail for a domain goes: the names of its MX records, best first, each with a final dot.
 * This machine comes first among equals, so that a rule sees whether it is one of the best; a host without MX records is its own, and one
 * that takes no mail (a null MX, RFC 7505) is not found.  A name in brackets is a host, and one without dots needs its domain: of both the map
 * of $[ $] knows the full name.
 */
#include "records.h"

#include <arpa/inet.h>
#include <string.h>

static void sort(struct pr_call *call, struct pr_dns_record *records, size_t count)
{
	struct pr_str own = call->host->macro(call, PR_STR("j"));

	for (size_t i = 1; i < count; i++) {
		struct pr_dns_record one = records[i];
		bool mine = own.len > 0 && pr_str_equal_nocase(one.text, own);
		size_t at = i;
		for (; at > 0 && (records[at - 1].preference > one.preference || (mine && records[at - 1].preference == one.preference)); at--)
			records[at] = records[at - 1];
		records[at] = one;
	}
}

/* Without MX records: itself, if it has an address of its own. */
static enum pr_status itself(struct pr_call *call, struct pr_str name, struct pr_str *raw_out)
{
	const struct pr_dns_record *records = NULL;
	size_t count = 0;
	enum pr_status status = records_ask(call, name, RECORD_A, &records, &count);

	if (status == PR_NOTFOUND)
		status = records_ask(call, name, RECORD_AAAA, &records, &count);
	if (status != PR_OK)
		return status;
	if (!pr_str_equal_nocase(records[0].name, pr_str_slice(name, 0, name.len - (name.data[name.len - 1] == '.'))))
		return PR_NOTFOUND; /* an alias */
	*raw_out = pr_arena_printf(call->arena, "%.*s%s", PR_PRINT(name), name.data[name.len - 1] == '.' ? "" : ".");
	return PR_OK;
}

static struct pr_str value_of(struct pr_call *call, const struct pr_dns_record *given, size_t count)
{
	const struct records_map *map = call->instance;
	struct pr_dns_record *records = pr_arena_alloc(call->arena, count * sizeof *records);
	struct pr_str *texts = pr_arena_alloc(call->arena, count * sizeof *texts);

	if (records == NULL || texts == NULL)
		return PR_NONE;
	for (size_t i = 0; i < count; i++)
		records[i] = given[i];
	sort(call, records, count);
	for (size_t i = 0; i < count; i++)
		texts[i] = pr_arena_printf(call->arena, "%.*s.", PR_PRINT(records[i].text));
	return records_join(call, texts, map->separator.data == NULL ? 1 : count);
}

/* The full name of a host, without a final dot. */
static enum pr_status canonical(struct pr_call *call, struct pr_str name, struct pr_str *full_out)
{
	const struct pr_list none = { NULL, 0 };
	struct pr_str full = PR_NONE, host = PR_STR("host");
	enum pr_status status = call->host->map_lookup(call, host, name, &none, &full);

	if (status == PR_MISUSE) /* no map is declared for $[ $] */
		status = pr_map_ask(call, host, host, PR_STR(""), name, &full);
	if (status != PR_OK)
		return status == PR_TEMPFAIL ? status : PR_NOTFOUND;
	*full_out = pr_str_slice(full, 0, full.len - (full.len > 0 && full.data[full.len - 1] == '.'));
	return PR_OK;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" or an old-fashioned "[127.1]" */
static bool is_number(struct pr_str name)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (pr_str_has_prefix_nocase(name, PR_STR("IPv6:")))
		name = pr_str_slice(name, 5, name.len);
	if (name.len >= sizeof text)
		return false;
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	return inet_aton(text, &four) != 0 || inet_pton(AF_INET6, text, &six) == 1;
}

static enum pr_status in_brackets(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	struct pr_str inner = pr_str_slice(key, 1, key.len - 1), full;

	if (is_number(inner))
		return PR_OK;
	enum pr_status status = canonical(call, inner, &full);
	if (status == PR_OK)
		*raw_out = pr_arena_printf(call->arena, "%.*s.", PR_PRINT(full));
	return status;
}

static enum pr_status by_records(struct pr_call *call, struct pr_str name, bool is_alias, struct pr_str *raw_out)
{
	const struct pr_dns_record *records = NULL;
	size_t count = 0;
	enum pr_status status = records_ask(call, name, RECORD_MX, &records, &count);

	if (status == PR_NOTFOUND)
		return is_alias ? status : itself(call, name, raw_out);
	if (status == PR_OK && count == 1 && records[0].text.len == 0)
		return PR_NOTFOUND;
	if (status == PR_OK)
		*raw_out = value_of(call, records, count);
	return status;
}

static enum pr_status without_dots(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	struct pr_str full = key;
	enum pr_status status = canonical(call, key, &full);

	if (status != PR_OK)
		return status;
	return by_records(call, full, !pr_str_equal_nocase(pr_str_slice(full, 0, pr_str_find(full, '.')), key), raw_out);
}

static enum pr_status look(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	const struct records_map *map = call->instance;
	enum pr_status status;

	if (key.len == 0 || pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	*raw_out = key;
	if (key.len > 2 && key.data[0] == '[' && key.data[key.len - 1] == ']')
		status = in_brackets(call, key, raw_out);
	else if (pr_str_find(key, '.') == key.len)
		status = without_dots(call, key, raw_out);
	else
		status = by_records(call, key, false, raw_out);
	return status == PR_OK && raw_out->data == NULL ? pr_fail(call, PR_TEMPFAIL, "no memory for the value") : status;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct records_map *map = call->instance;
	struct pr_str raw = PR_NONE;
	enum pr_status status = look(call, key, &raw);

	return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
}

static const struct pr_map_flag letters[] = { PR_MAP_FLAG('z', PR_MAP_BYTE, struct records_map, separator), PR_MAP_FLAG_END };

static enum pr_status check(struct pr_call *call)
{
	struct records_map *map = call->instance;

	return pr_map_flags_parse(call, letters, map, &map->flags);
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct records_map, flags),
	PR_OPTION(struct records_map, separator, "separator", PR_OPTION_STRING, 0, NULL, "between the names; else the best alone (-z)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(bestmx) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct records_map), .name = "bestmx",
	.version = "1.0", .summary = "the best MX of a domain", .options = options, .check = check, .ops = &ops };
