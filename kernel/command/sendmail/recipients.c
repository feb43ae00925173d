/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses are parsed by the SDK, refused when they hold a control character, and kept in an array with a hash index
 * beside it, so a header of a hundred thousand recipients stays linear.
 */
#include "kernel/command/sendmail/recipients.h"

#include <postrider/address.h>
#include <string.h>
#include <sysexits.h>

void recipients_init(struct recipients *recipients)
{
	*recipients = (struct recipients){.items = NULL};
	pr_arena_init(&recipients->arena, 64u << 20);
}

void recipients_fini(struct recipients *recipients)
{
	pr_free(recipients->items);
	pr_free(recipients->index);
	pr_arena_fini(&recipients->arena);
	*recipients = (struct recipients){.items = NULL};
}

static size_t *index_slot(const struct recipients *recipients, struct pr_str address)
{
	size_t at = (size_t)pr_str_hash_nocase(address) & (recipients->index_size - 1);

	while (recipients->index[at] != 0 &&
	       !pr_str_equal_nocase(recipients->items[recipients->index[at] - 1].address, address))
		at = (at + 1) & (recipients->index_size - 1);
	return &recipients->index[at];
}

static void grow(struct recipients *recipients)
{
	recipients->room = recipients->room == 0 ? 16 : recipients->room * 2;
	recipients->items = pr_resize(recipients->items, recipients->room * sizeof *recipients->items);
	pr_free(recipients->index);
	recipients->index_size = recipients->room * 2;
	recipients->index = pr_alloc(recipients->index_size * sizeof *recipients->index);
	for (size_t i = 0; i < recipients->count; i++)
		*index_slot(recipients, recipients->items[i].address) = i + 1;
}

static bool has_control(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 127)
			return true;
	return false;
}

static int complain(struct pr_text *error, struct pr_str what, const char *why)
{
	if (error->len > 0)
		pr_text_add_byte(error, '\n');
	pr_text_add_escaped(error, what, 256);
	pr_text_addf(error, "... %s", why);
	return EX_DATAERR;
}

static int add(struct recipients *recipients, struct pr_str address, uint32_t fate, struct pr_text *error)
{
	if (has_control(address))
		return complain(error, address, "Control character in address");
	if (recipients->count == RECIPIENTS_MAX)
		return complain(error, address, "Too many recipients");
	if (recipients->count == recipients->room)
		grow(recipients);
	size_t *slot = index_slot(recipients, address);
	if (*slot != 0) {
		recipients->items[*slot - 1].fate =
		    fate == RECIPIENT_EXCLUDED ? fate : recipients->items[*slot - 1].fate;
		return EX_OK;
	}
	struct pr_str copy = pr_arena_copy(&recipients->arena, address);
	if (copy.data == NULL)
		return complain(error, address, "Too many recipients");
	recipients->items[recipients->count] = (struct recipient){copy, fate};
	*slot = ++recipients->count;
	return EX_OK;
}

static int add_commas(struct recipients *recipients, struct pr_str list, uint32_t fate, struct pr_text *error)
{
	int worst = EX_OK;

	for (;;) {
		struct pr_arena arena;
		struct pr_str address = PR_NONE, why = PR_NONE, before = list;
		pr_arena_init(&arena, 1u << 20);
		enum pr_status status = pr_address_next(&list, true, &arena, &address, &why);
		int result = EX_OK;
		if (status == PR_OK)
			result = add(recipients, pr_address_inner(address), fate, error);
		else if (status != PR_NOTFOUND)
			result = complain(error, pr_str_trim(pr_str_slice(before, 0, before.len - list.len)),
			    why.data != NULL ? why.data : "Cannot be parsed");
		pr_arena_fini(&arena);
		worst = result != EX_OK ? result : worst;
		if (status == PR_NOTFOUND || list.len == before.len)
			return worst;
	}
}

static bool has_any(struct pr_str text, const char *bytes)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\0' && strchr(bytes, text.data[i]) != NULL)
			return true;
	return false;
}

int recipients_add_list(
    struct recipients *recipients, struct pr_str list, bool blanks_separate, uint32_t fate, struct pr_text *error)
{
	int worst = EX_OK;

	if (blanks_separate && has_control(list)) /* a caller that passes on what it was given */
		return complain(error, list, "Control character in address");
	recipients->comma_seen = recipients->comma_seen || has_any(list, ",(<");
	if (!blanks_separate || recipients->comma_seen || has_any(list, "\"|:"))
		return add_commas(recipients, list, fate, error);
	struct pr_str word;
	while (pr_str_next(&list, ' ', &word)) {
		int status = pr_str_trim(word).len > 0 ? add_commas(recipients, word, fate, error) : EX_OK;
		worst = status != EX_OK ? status : worst;
	}
	return worst;
}

static int add_field(struct recipients *recipients, struct pr_str value, struct pr_text *error)
{
	char *unfolded = pr_copy_str(value);

	for (size_t i = 0; i < value.len; i++)
		if (unfolded[i] == '\n' || unfolded[i] == '\t')
			unfolded[i] = ' ';
	int status =
	    recipients_add_list(recipients, (struct pr_str){unfolded, value.len}, false, RECIPIENT_WAITING, error);
	pr_free(unfolded);
	return status;
}

int recipients_add_header(struct recipients *recipients, const struct message *message, struct pr_text *error)
{
	static const char *const names[2][3] = {{"To", "Cc", "Bcc"}, {"Resent-To", "Resent-Cc", "Resent-Bcc"}};
	struct pr_str rest = PR_NONE, name, value;
	bool resent = false;
	int worst = EX_OK;

	for (int i = 0; i < 3; i++)
		resent = resent || message_has_field(message, pr_str(names[1][i]));
	while (message_field(message, &rest, &name, &value))
		for (int i = 0; i < 3; i++)
			if (pr_str_equal_nocase(name, pr_str(names[resent][i]))) {
				int status = add_field(recipients, value, error);
				worst = status != EX_OK ? status : worst;
			}
	return worst;
}

size_t recipients_with_fate(const struct recipients *recipients, uint32_t fate)
{
	size_t count = 0;

	for (size_t i = 0; i < recipients->count; i++)
		count += recipients->items[i].fate == fate;
	return count;
}
