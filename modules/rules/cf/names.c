/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash of the long names with their numbers.  Names are told apart by case, as sendmail does.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

static uint64_t hash_of(struct pr_str name)
{
	uint64_t hash = 1469598103934665603u;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 1099511628211u;
	return hash ^ hash >> 29;
}

void cf_names_fini(struct cf_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		pr_free((char *)(uintptr_t)names->items[i].data);
	pr_free(names->items);
	pr_free(names->slots);
	pr_text_fini(&names->problems);
	*names = (struct cf_names){0};
}

/* Where the name is, or where it would go. */
static uint32_t *slot_of(const struct cf_names *names, struct pr_str name)
{
	size_t mask = names->slot_count - 1;

	for (size_t i = hash_of(name) & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &names->slots[i];
		if (*slot == 0 || pr_str_equal(names->items[*slot - 1], name))
			return slot;
	}
}

static void grow(struct cf_names *names)
{
	names->room = names->room == 0 ? 64 : names->room * 2;
	names->items = pr_resize(names->items, names->room * sizeof *names->items);
	names->slot_count = names->room * 2;
	pr_free(names->slots);
	names->slots = pr_alloc(names->slot_count * sizeof *names->slots);
	for (size_t i = 0; i < names->count; i++)
		*slot_of(names, names->items[i]) = (uint32_t)i + 1;
}

uint16_t cf_names_find(const struct cf_names *names, struct pr_str name)
{
	if (name.len == 1)
		return (unsigned char)name.data[0];
	if (name.len == 0 || names->slot_count == 0)
		return CF_NAME_NONE;
	uint32_t found = *slot_of(names, name);
	return found == 0 ? CF_NAME_NONE : (uint16_t)(found - 1 + CF_NAME_LONG);
}

uint16_t cf_names_get(struct cf_names *names, struct pr_str name)
{
	uint16_t number = cf_names_find(names, name);

	if (number != CF_NAME_NONE || name.len == 0 || names->count >= CF_NAMES_MAX)
		return number;
	if (names->is_sealed)
		return CF_NAME_UNKNOWN;
	if (names->count == names->room)
		grow(names);
	*slot_of(names, name) = (uint32_t)names->count + 1;
	names->items[names->count] = (struct pr_str){ pr_copy_str(name), name.len };
	return (uint16_t)(names->count++ + CF_NAME_LONG);
}

struct pr_str cf_names_text(const struct cf_names *names, uint16_t number, char buffer[2])
{
	if (number >= CF_NAME_LONG)
		return number - CF_NAME_LONG < names->count ? names->items[number - CF_NAME_LONG] : PR_STR("");
	buffer[0] = (char)number;
	buffer[1] = '\0';
	return (struct pr_str){ buffer, 1 };
}

bool cf_names_print(const struct cf_names *names, uint16_t number, struct pr_text *out)
{
	char buffer[2];

	if (number < CF_NAME_LONG)
		return pr_text_add_byte(out, (char)number);
	return pr_text_addf(out, "{%.*s}", PR_PRINT(cf_names_text(names, number, buffer)));
}

static bool is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

#define NAME_MOST 25

static void tell(struct cf_names *names, const char *problem, struct pr_str text)
{
	if (names->is_sealed)
		return;
	if (names->problems.max == 0)
		pr_text_init(&names->problems, 4000);
	pr_text_addf(&names->problems, "%s%.*s\n", problem, PR_PRINT(text));
}

/* "{name}": up to the closing brace. */
static uint16_t read_long(struct cf_names *names, struct pr_str *rest)
{
	char name[256];
	size_t length = 0, i;

	for (i = 1; i < rest->len && rest->data[i] != '}'; i++) {
		if (!is_name_byte((unsigned char)rest->data[i]))
			tell(names, "Invalid macro/class character ", pr_str_slice(*rest, i, i + 1));
		else if (length < sizeof name - 1)
			name[length++] = rest->data[i];
	}
	name[length] = '\0';
	if (length > NAME_MOST && i < rest->len) {
		snprintf(name + NAME_MOST, sizeof name - NAME_MOST, "}) too long (%d chars max)", NAME_MOST);
		tell(names, "Macro/class name ({", pr_str(name));
		tell(names, "Unable to assign macro/class ID (mid = 0xffffffff)", PR_STR(""));
		*rest = pr_str_slice(*rest, i + 1, rest->len);
		return CF_NAME_NONE;
	}
	if (i >= rest->len) {
		tell(names, "Unbalanced { on ", pr_str(name));
		tell(names, "Unable to assign macro/class ID (mid = 0xffffffff)", PR_STR(""));
		*rest = pr_str_slice(*rest, i, rest->len);
		return CF_NAME_NONE;
	}
	*rest = pr_str_slice(*rest, i + 1, rest->len);
	if (length == 0)
		tell(names, "Name required for macro/class", PR_STR(""));
	return cf_names_get(names, (struct pr_str){ name, length });
}

uint16_t cf_names_read(struct cf_names *names, struct pr_str *rest)
{
	if (rest->len == 0) {
		tell(names, "Name required for macro/class", PR_STR(""));
		return CF_NAME_NONE;
	}
	if (rest->data[0] == '{')
		return read_long(names, rest);
	uint16_t number = (unsigned char)rest->data[0];
	*rest = pr_str_slice(*rest, 1, rest->len);
	return number;
}
