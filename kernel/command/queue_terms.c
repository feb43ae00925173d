/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each term is parsed once into a text or a number and then asked of every message.
 * An age or size that cannot be read matches nothing, so a damaged message is never chosen by accident.
 */
#include "kernel/command/queue_terms.h"

#include "kernel/queue/selection.h"

#include <postrider/address.h>
#include <postrider/option.h>
#include <string.h>
#include <time.h>

/* A notice of our own has the null sender, and is MAILER-DAEMON's in mailq. */
static bool is_sender(const struct message *message, const struct term *term)
{
	const struct pr_envelope *envelope = message->envelope;

	return envelope != NULL && (selection_contains(envelope->sender, term->text) || selection_contains(selection_sender(envelope), term->text));
}

static bool is_recipient(const struct message *message, const struct term *term)
{
	const struct pr_envelope *envelope = message->envelope;

	for (size_t i = 0; envelope != NULL && i < envelope->recipient_count; i++)
		if (queue_is_open(&envelope->recipients[i]) && selection_contains(envelope->recipients[i].address, term->text))
			return true;
	return false;
}

static bool is_state(const struct message *message, const struct term *term)
{
	return message->entry.state == (uint32_t)term->number;
}

static bool is_id(const struct message *message, const struct term *term)
{
	return selection_contains(message->entry.id, term->text);
}

/* number: the second before which it must have come; an age that cannot be read is no old age */
static bool is_older(const struct message *message, const struct term *term)
{
	return message->entry.created > 0 && message->entry.created < term->number;
}

static bool is_newer(const struct message *message, const struct term *term)
{
	return message->entry.created >= term->number;
}

static bool is_larger(const struct message *message, const struct term *term)
{
	return message->entry.body_size > term->number;
}

static bool is_smaller(const struct message *message, const struct term *term)
{
	return message->entry.body_size < term->number;
}

static bool is_queue(const struct message *message, const struct term *term)
{
	return pr_str_equal_nocase(message->entry.queue, term->text);
}

static bool is_reason(const struct message *message, const struct term *term)
{
	return selection_contains(queue_reason(message), term->text);
}

/* Behind the @ of a recipient that waits, whole: example.org is not sub.example.org. */
static bool is_domain(const struct message *message, const struct term *term)
{
	const struct pr_envelope *envelope = message->envelope;

	for (size_t i = 0; envelope != NULL && i < envelope->recipient_count; i++) {
		struct pr_str address = pr_address_inner(envelope->recipients[i].address);
		struct pr_str domain = pr_str_slice(address, pr_str_find_last(address, '@') + 1, address.len);
		if (queue_is_open(&envelope->recipients[i]) && domain.len > 0 && pr_str_equal_nocase(domain, term->text))
			return true;
	}
	return false;
}

/* "10", "10K", "2M", "1G": units of 1024 */
static bool parse_size(struct term *term)
{
	static const char units[] = "KMG";
	struct pr_str digits = term->text;
	uint64_t number, factor = 1;
	const char *unit = digits.len > 0 ? strchr(units, digits.data[digits.len - 1] & ~0x20) : NULL;

	if (unit != NULL && *unit != '\0') {
		digits = pr_str_slice(digits, 0, digits.len - 1);
		for (const char *at = units; at <= unit; at++)
			factor *= 1024;
	}
	if (!pr_str_number(digits, (uint64_t)INT64_MAX / factor, &number))
		return false;
	term->number = (int64_t)(number * factor);
	return true;
}

static bool parse_text(struct term *term)
{
	return term->text.len > 0;
}

static bool parse_state(struct term *term)
{
	for (size_t i = 0; i < QUEUE_STATES; i++) {
		if (pr_str_equal_nocase(term->text, pr_str(queue_states[i]))) {
			term->number = (int64_t)i;
			return true;
		}
	}
	return false;
}

static bool parse_age(struct term *term)
{
	int64_t seconds;

	/* "older=3" would be somebody's days and somebody's minutes */
	if (term->text.len == 0 || strchr("smhdw", term->text.data[term->text.len - 1]) == NULL)
		return false;
	if (!pr_parse_time(term->text, 's', &seconds))
		return false;
	term->number = (int64_t)time(NULL) - seconds;
	return true;
}

static const struct term_kind {
	const char *name;
	const char *value; /* for people */
	bool (*parse)(struct term *term);
	bool (*matches)(const struct message *message, const struct term *term);
	bool full; /* asks the envelope */
} term_kinds[] = {
    {"id", "part of the id", parse_text, is_id, false},
    {"state", "ready, claimed, held, quarantined or lost", parse_state, is_state, false},
    {"older", "an age with its unit, as 90m, 12h or 1d", parse_age, is_older, false},
    {"newer", "an age with its unit", parse_age, is_newer, false},
    {"larger", "bytes of the body, or with K, M or G", parse_size, is_larger, false},
    {"smaller", "bytes of the body, or with K, M or G", parse_size, is_smaller, false},
    {"queue", "the name of a queue group or directory", parse_text, is_queue, false},
    {"domain", "what stands behind the @ of a recipient", parse_text, is_domain, true},
    {"reason", "part of why it waits", parse_text, is_reason, true},
    {"sender", "part of the address", parse_text, is_sender, true},
    {"recipient", "part of the address", parse_text, is_recipient, true},
};

#define TERM_KINDS (sizeof term_kinds / sizeof term_kinds[0])

bool term_parse(struct pr_str word, struct term *term_out, struct pr_text *why)
{
	size_t equals = pr_str_find(word, '=');
	struct term term = {.text = pr_str_slice(word, equals + 1, word.len)};

	for (size_t i = 0; i < TERM_KINDS; i++) {
		if (!pr_str_equal(pr_str_slice(word, 0, equals), pr_str(term_kinds[i].name)))
			continue;
		term.kind = &term_kinds[i];
		*term_out = term;
		if (term.kind->parse(term_out))
			return true;
		pr_text_addf(why, "%s= wants %s", term.kind->name, term.kind->value);
		return false;
	}
	pr_text_add_c(why, "unknown term ");
	pr_text_add_escaped(why, word, 200);
	return false;
}

bool term_is_full(const struct term *term)
{
	return term->kind->full;
}

bool term_holds(const struct term *term, const struct message *message)
{
	return term->kind->matches(message, term);
}

void term_print_help(struct pr_text *out)
{
	for (size_t i = 0; i < TERM_KINDS; i++)
		pr_text_addf(out, "%s %s=%s\n", i == 0 ? "TERM: " : "      ", term_kinds[i].name, term_kinds[i].value);
}
