/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS as a map: the key is a name (with -B a domain is put behind it), the value what the records of one type say.
 * "No such record" is not found; a server that cannot be asked is a temporary failure.
 */
#include "records.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static const struct record_type {
	const char *name;
	uint32_t type;
} types[] = {
	{ "A", RECORD_A }, { "AAAA", RECORD_AAAA }, { "AFSDB", RECORD_AFSDB }, { "CNAME", RECORD_CNAME }, { "MX", RECORD_MX }, { "NS", RECORD_NS },
	{ "PTR", RECORD_PTR }, { "SRV", RECORD_SRV }, { "TXT", RECORD_TXT },
};

static uint32_t type_of(struct pr_str name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (pr_str_equal_nocase(pr_str(types[i].name), name))
			return types[i].type;
	return 0;
}

/* IPv6 addresses are written out, as sendmail does: rules compare them so. */
static struct pr_str text_of(struct pr_call *call, const struct pr_dns_record *record)
{
	unsigned char b[16];
	char copy[INET6_ADDRSTRLEN];

	if (record->type != RECORD_AAAA || record->text.len >= sizeof copy)
		return record->text;
	memcpy(copy, record->text.data, record->text.len);
	copy[record->text.len] = '\0';
	if (inet_pton(AF_INET6, copy, b) != 1)
		return record->text;
	return pr_arena_printf(call->arena, "IPv6:%x:%x:%x:%x:%x:%x:%x:%x", b[0] << 8 | b[1], b[2] << 8 | b[3], b[4] << 8 | b[5], b[6] << 8 | b[7],
	    b[8] << 8 | b[9], b[10] << 8 | b[11], b[12] << 8 | b[13], b[14] << 8 | b[15]);
}

static struct pr_str value_of(struct pr_call *call, const struct pr_dns_record *records, size_t count)
{
	const struct records_map *map = call->instance;
	size_t wanted = map->separator.data == NULL ? 1 : count;
	struct pr_str *texts = pr_arena_alloc(call->arena, count * sizeof *texts);

	if (map->most > 0 && wanted > (size_t)map->most)
		wanted = (size_t)map->most;
	for (size_t i = 0; texts != NULL && i < wanted; i++)
		texts[i] = text_of(call, &records[i]);
	return texts == NULL ? PR_NONE : records_join(call, texts, wanted);
}

static enum pr_status look(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	const struct records_map *map = call->instance;
	const struct pr_dns_record *records = NULL;
	size_t count = 0;
	struct pr_str name = key;

	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	if (map->base.len > 0)
		name = pr_arena_printf(call->arena, "%.*s.%.*s", PR_PRINT(key), PR_PRINT(map->base));
	if (name.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the name");
	enum pr_status status = records_ask(call, name, map->type, &records, &count);
	if (status != PR_OK)
		return status;
	*raw_out = value_of(call, records, count);
	return raw_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the value");
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct records_map *map = call->instance;
	struct pr_str raw = PR_NONE;
	enum pr_status status = look(call, key, &raw);

	return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
}

static const struct pr_map_flag letters[] = {
	PR_MAP_FLAG('R', PR_MAP_WORD, struct records_map, type_name),
	PR_MAP_FLAG('B', PR_MAP_WORD, struct records_map, base),
	PR_MAP_FLAG('z', PR_MAP_BYTE, struct records_map, separator),
	PR_MAP_FLAG('Z', PR_MAP_NUMBER, struct records_map, most),
	PR_MAP_FLAG('d', PR_MAP_TIME, struct records_map, timeout),
	PR_MAP_FLAG('r', PR_MAP_NUMBER, struct records_map, retries),
	PR_MAP_FLAG_END
};

static enum pr_status check(struct pr_call *call)
{
	struct records_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (status != PR_OK)
		return status;
	if (map->type_name.len == 0)
		return pr_fail(call, PR_MISUSE, "type: the type of record is missing (-R)");
	map->type = type_of(map->type_name);
	if (map->type == 0)
		return pr_fail(call, PR_MISUSE, "type: %.*s is none of A AAAA AFSDB CNAME MX NS PTR SRV TXT", PR_PRINT(map->type_name));
	return PR_OK;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct records_map, flags),
	PR_OPTION(struct records_map, type_name, "type", PR_OPTION_STRING, 0, NULL, "A AAAA AFSDB CNAME MX NS PTR SRV or TXT (-R)"),
	PR_OPTION(struct records_map, base, "base", PR_OPTION_STRING, 0, NULL, "a domain that is put behind every key (-B)"),
	PR_OPTION(struct records_map, separator, "separator", PR_OPTION_STRING, 0, NULL, "between the values of several records; else one (-z)"),
	PR_OPTION(struct records_map, most, "most", PR_OPTION_INT, 0, "0", "this many records at most; 0: all (-Z)"),
	PR_OPTION(struct records_map, timeout, "timeout", PR_OPTION_TIME, 0, "0", "longest wait for one answer of DNS (-d)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(dns) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct records_map), .name = "dns",
	.version = "1.0", .summary = "records in DNS", .options = options, .check = check, .ops = &ops };
