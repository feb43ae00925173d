/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A record as a line of text, and the sum of many.
 * The text is the key: two results that read alike are one, and nothing has to be compared field by field.
 */
#include "kernel/queue/tls_record.h"

#include <string.h>
#include <time.h>

#define NAME_MOST 255   /* bytes of a name, an address, a type */
#define REASON_MOST 200
#define POLICY_MOST 4000 /* bytes of a policy, and of its patterns together */
#define FIELDS 9
#define BUCKETS 4096

static void add_lines(struct pr_text *out, const struct pr_list *list)
{
	struct pr_text joined;

	pr_text_init(&joined, 1u << 17);
	for (size_t i = 0; i < list->count; i++)
		pr_text_addf(&joined, "%s%.*s", i > 0 ? "\n" : "", PR_PRINT(list->items[i]));
	pr_text_add_escaped(out, pr_text_str(&joined), POLICY_MOST);
	pr_text_fini(&joined);
}

/* Names that differ in case are one. */
static struct pr_str lower(struct pr_str name, char *room)
{
	name = pr_str_slice(name, 0, NAME_MOST);
	for (size_t i = 0; i < name.len; i++)
		room[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + ('a' - 'A') : name.data[i]);
	return (struct pr_str){room, name.len};
}

void tls_record_print(const struct pr_tls_result *result, struct pr_text *out)
{
	static const char *const policies[] = {[PR_TLS_POLICY_NONE] = "no-policy-found", [PR_TLS_POLICY_STS] = "sts", [PR_TLS_POLICY_TLSA] = "tlsa"};
	char domain[NAME_MOST + 1], host[NAME_MOST + 1];
	const struct pr_str fields[] = {lower(result->domain, domain), result->failure, lower(result->host, host), result->address, result->source};

	pr_text_add_c(out, policies[result->policy < sizeof policies / sizeof policies[0] ? result->policy : PR_TLS_POLICY_NONE]);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		pr_text_add_byte(out, '\t');
		pr_text_add_escaped(out, fields[i], NAME_MOST);
	}
	pr_text_add_byte(out, '\t');
	pr_text_add_escaped(out, result->reason, REASON_MOST);
	pr_text_add_byte(out, '\t');
	add_lines(out, &result->strings);
	pr_text_add_byte(out, '\t');
	add_lines(out, &result->hosts);
}

static bool is_octal(struct pr_str text)
{
	for (size_t i = 1; i < 4; i++)
		if (text.data[i] < '0' || text.data[i] > '7')
			return false;
	return true;
}

/* What pr_text_add_escaped() made of it, back. */
static struct pr_str decode(struct pr_arena *arena, struct pr_str text)
{
	char *out = pr_arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; out != NULL && i < text.len; i++) {
		if (text.data[i] == '\\' && i + 3 < text.len && is_octal(pr_str_slice(text, i, i + 4))) {
			out[len++] = (char)((text.data[i + 1] - '0') * 64 + (text.data[i + 2] - '0') * 8 + (text.data[i + 3] - '0'));
			i += 3;
		} else
			out[len++] = text.data[i];
	}
	return out != NULL ? (struct pr_str){out, len} : PR_NONE;
}

bool tls_record_parse(struct pr_str line, struct pr_arena *arena, struct tls_record *record_out)
{
	struct pr_str fields[FIELDS];
	size_t count = 0;

	for (struct pr_str rest = line; count < FIELDS; count++) {
		size_t tab = pr_str_find(rest, '\t');
		fields[count] = decode(arena, pr_str_slice(rest, 0, tab));
		if (fields[count].data == NULL || (tab == rest.len) != (count == FIELDS - 1))
			return false;
		rest = pr_str_slice(rest, tab + 1, rest.len);
	}
	*record_out = (struct tls_record){.policy = fields[0], .domain = fields[1], .failure = fields[2], .host = fields[3], .address = fields[4],
	                                  .source = fields[5], .reason = fields[6], .strings = fields[7], .hosts = fields[8]};
	return record_out->domain.len > 0;
}

struct item {
	struct item *next;
	char *record;
	size_t len;
	uint64_t count;
};

struct tls_tally {
	struct item *buckets[BUCKETS];
	size_t size, most;
};

struct tls_tally *tls_tally_new(size_t most)
{
	struct tls_tally *tally = pr_alloc(sizeof *tally);

	tally->most = most;
	return tally;
}

void tls_tally_clear(struct tls_tally *tally)
{
	for (size_t i = 0; tally->size > 0 && i < BUCKETS; i++)
		while (tally->buckets[i] != NULL) {
			struct item *item = tally->buckets[i];
			tally->buckets[i] = item->next;
			pr_free(item->record);
			pr_free(item);
			tally->size--;
		}
}

void tls_tally_free(struct tls_tally *tally)
{
	if (tally == NULL)
		return;
	tls_tally_clear(tally);
	pr_free(tally);
}

bool tls_tally_add(struct tls_tally *tally, struct pr_str record, uint64_t count)
{
	struct item **place = &tally->buckets[pr_str_hash_nocase(record) % BUCKETS];

	for (struct item *item = *place; item != NULL; item = item->next)
		if (item->len == record.len && memcmp(item->record, record.data, record.len) == 0) {
			item->count += count;
			return true;
		}
	if (tally->size >= tally->most)
		return false;
	struct item *item = pr_alloc(sizeof *item);
	*item = (struct item){.next = *place, .record = pr_copy_str(record), .len = record.len, .count = count};
	*place = item;
	tally->size++;
	return true;
}

size_t tls_tally_size(const struct tls_tally *tally)
{
	return tally->size;
}

void tls_tally_walk(const struct tls_tally *tally, tls_tally_each *each, void *context)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct item *item = tally->buckets[i]; item != NULL; item = item->next)
			each(context, (struct pr_str){item->record, item->len}, item->count);
}

void tls_day_print(int64_t when, char day[TLS_DAY_ROOM])
{
	time_t seconds = (time_t)when;
	struct tm date;

	if (gmtime_r(&seconds, &date) == NULL || strftime(day, TLS_DAY_ROOM, "%Y-%m-%d", &date) == 0)
		memcpy(day, "1970-01-01", sizeof "1970-01-01");
}

bool tls_day_parse(struct pr_str text, int64_t *begin_out)
{
	uint64_t year, month, day;
	char again[TLS_DAY_ROOM];

	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' || !pr_str_number(pr_str_slice(text, 0, 4), 9999, &year) ||
	    !pr_str_number(pr_str_slice(text, 5, 7), 12, &month) || !pr_str_number(pr_str_slice(text, 8, 10), 31, &day) || year < 1970 || month < 1)
		return false;
	struct tm date = {.tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
	int64_t begin = (int64_t)timegm(&date);
	tls_day_print(begin, again);
	if (!pr_str_equal(pr_str(again), text)) /* the 31st of June */
		return false;
	*begin_out = begin;
	return true;
}
