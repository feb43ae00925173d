/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A word is a letter, perhaps a "!" and a text; the printed line holds them in xtext, so that a blank or a line end inside a
 * reason cannot be taken for the protocol's.
 */
#include "kernel/queue/selection.h"

#include <postrider/address.h>
#include <string.h>

#define LETTERS "IRSQ"

bool selection_contains(struct pr_str text, struct pr_str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (pr_str_has_prefix_nocase(pr_str_slice(text, i, text.len), part))
			return true;
	return false;
}

struct pr_str selection_sender(const struct pr_envelope *envelope)
{
	bool own = (envelope->flags & PR_ENVELOPE_RESPONSE) != 0 && pr_address_inner(envelope->sender).len == 0;

	return own ? PR_STR("MAILER-DAEMON") : envelope->sender;
}

static bool is_negated(struct pr_str text)
{
	return text.len > 0 && text.data[0] == '!';
}

bool selection_is_one(struct pr_str text)
{
	size_t at = is_negated(text) ? 1 : 0;

	return text.len > at && text.data[at] != '\0' && strchr(LETTERS "GL", text.data[at]) != NULL;
}

bool selection_is_given(const struct queue_selection *selection)
{
	return selection->count > 0 || selection->group.len > 0 || selection->kind != SELECTION_WAITING;
}

static bool add_term(struct queue_selection *selection, char letter, bool negated, struct pr_str text, struct pr_text *why)
{
	if (selection->count == SELECTION_TERMS_MAX) {
		pr_text_addf(why, "Too many -q (%d at most)", SELECTION_TERMS_MAX);
		return false;
	}
	selection->terms[selection->count++] = (struct selection_term){letter, negated, text};
	return true;
}

static bool add_group(struct queue_selection *selection, bool negated, struct pr_str name, struct pr_text *why)
{
	if (negated)
		pr_text_add_c(why, "Can not use -q!G");
	else if (selection->group.len > 0)
		pr_text_add_c(why, "Can not use multiple -qG options");
	else if (name.len == 0)
		pr_text_add_c(why, "-qG wants the name of a queue group");
	else
		selection->group = name;
	return why->len == 0;
}

bool selection_add(struct queue_selection *selection, struct pr_str text, struct pr_text *why)
{
	bool negated = is_negated(text);
	size_t at = negated ? 1 : 0;

	if (!selection_is_one(text)) {
		pr_text_add_c(why, "-q");
		pr_text_add_escaped(why, text, 100);
		pr_text_add_c(why, " chooses no messages");
		return false;
	}
	char letter = text.data[at];
	struct pr_str word = pr_str_slice(text, at + 1, text.len);
	if (letter == 'G')
		return add_group(selection, negated, word, why);
	if (letter == 'L') {
		selection->kind = SELECTION_LOST;
		return true;
	}
	if (letter == 'Q')
		selection->kind = SELECTION_QUARANTINED;
	if (letter == 'Q' && word.len == 0)
		return true;
	return add_term(selection, letter, negated, word, why);
}

static bool print_word(struct pr_text *out, char letter, bool negated, struct pr_str text)
{
	pr_text_addf(out, "%s%c%s", out->len > 0 ? " " : "", letter, negated ? "!" : "=");
	return pr_xtext_encode(text.data != NULL ? text : PR_STR(""), out);
}

bool selection_print(const struct queue_selection *selection, struct pr_text *out)
{
	bool good = true;

	if (selection->kind != SELECTION_WAITING)
		good = print_word(out, selection->kind == SELECTION_LOST ? 'L' : 'H', false, PR_NONE);
	if (selection->group.len > 0)
		good = print_word(out, 'G', false, selection->group) && good;
	for (size_t i = 0; i < selection->count; i++)
		good = print_word(out, selection->terms[i].letter, selection->terms[i].negated, selection->terms[i].text) && good;
	return good && !out->overflow;
}

static bool take_word(struct queue_selection *selection, char letter, bool negated, struct pr_str text)
{
	switch (letter) {
	case 'L':
	case 'H':
		selection->kind = letter == 'L' ? SELECTION_LOST : SELECTION_QUARANTINED;
		return !negated && text.len == 0;
	case 'G':
		selection->group = text;
		return !negated && text.len > 0;
	default:
		if (letter == '\0' || strchr(LETTERS, letter) == NULL || selection->count == SELECTION_TERMS_MAX)
			return false;
		selection->terms[selection->count++] = (struct selection_term){letter, negated, text};
		return true;
	}
}

bool selection_parse(struct pr_str line, struct pr_arena *arena, struct queue_selection *selection_out)
{
	struct queue_selection selection = {.count = 0};
	struct pr_str word, text;

	while (pr_str_next(&line, ' ', &word)) {
		if (word.len < 2 || (word.data[1] != '=' && word.data[1] != '!') ||
		    !pr_xtext_decode(pr_str_slice(word, 2, word.len), arena, &text) ||
		    !take_word(&selection, word.data[0], word.data[1] == '!', text))
			return false;
	}
	*selection_out = selection;
	return true;
}

static enum selection_kind kind_of(const struct pr_entry *entry)
{
	switch (entry->state) {
	case PR_ENTRY_LOST:
		return SELECTION_LOST;
	case PR_ENTRY_HELD:
	case PR_ENTRY_QUARANTINED:
		return SELECTION_QUARANTINED;
	default:
		return SELECTION_WAITING;
	}
}

bool selection_is_kind(const struct queue_selection *selection, const struct pr_entry *entry)
{
	if (kind_of(entry) != selection->kind)
		return false;
	return selection->group.len == 0 || entry->queue.len == 0 || pr_str_equal_nocase(entry->queue, selection->group);
}

bool selection_needs_envelope(const struct queue_selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		if (selection->terms[i].letter != 'I')
			return true;
	return false;
}

static bool some_recipient(const struct pr_envelope *envelope, const struct selection_term *term)
{
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct pr_recipient *recipient = &envelope->recipients[i];
		if (recipient->state != PR_RECIPIENT_DELIVERED && selection_contains(recipient->address, term->text) != term->negated)
			return true;
	}
	return false;
}

static bool holds(const struct selection_term *term, const struct pr_entry *entry, const struct pr_envelope *envelope)
{
	if (term->letter == 'I')
		return selection_contains(entry->id, term->text) != term->negated;
	if (envelope == NULL)
		return false;
	if (term->letter == 'R')
		return some_recipient(envelope, term);
	return selection_contains(term->letter == 'S' ? selection_sender(envelope) : envelope->quarantine, term->text) != term->negated;
}

/* Of one letter any word, or no word was given. */
static bool letter_holds(const struct queue_selection *selection, char letter, const struct pr_entry *entry, const struct pr_envelope *envelope)
{
	bool given = false;

	for (size_t i = 0; i < selection->count; i++) {
		if (selection->terms[i].letter != letter)
			continue;
		if (holds(&selection->terms[i], entry, envelope))
			return true;
		given = true;
	}
	return !given;
}

bool selection_matches(const struct queue_selection *selection, const struct pr_entry *entry, const struct pr_envelope *envelope)
{
	for (const char *letter = LETTERS; *letter != '\0'; letter++)
		if (!letter_holds(selection, *letter, entry, envelope))
			return false;
	return true;
}
