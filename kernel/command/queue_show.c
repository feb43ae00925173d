/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message of the queue as people read it, in a line or whole, and as programs do.
 * Everything in it came from outside, so whatever a terminal could obey is escaped.
 */
#include "kernel/command/queue_tool.h"

#include "kernel/command/json.h"

#include <inttypes.h>
#include <postrider/address.h>
#include <time.h>

#define LINE_MAX_SHOWN 1000

const char *const queue_states[QUEUE_STATES] = {
    [PR_ENTRY_READY] = "ready",
    [PR_ENTRY_CLAIMED] = "claimed",
    [PR_ENTRY_HELD] = "held",
    [PR_ENTRY_QUARANTINED] = "quarantined",
    [PR_ENTRY_LOST] = "lost",
};

bool queue_is_open(const struct pr_recipient *recipient)
{
	return recipient->state != PR_RECIPIENT_DELIVERED;
}

struct pr_str queue_reason(const struct message *message)
{
	const struct pr_envelope *envelope = message->envelope;

	if (envelope == NULL)
		return message->why;
	if (envelope->quarantine.len > 0)
		return envelope->quarantine;
	if (envelope->message.len > 0)
		return envelope->message;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (queue_is_open(&envelope->recipients[i]) && envelope->recipients[i].status.len > 0)
			return envelope->recipients[i].status;
	return PR_NONE;
}

static void add_age(struct pr_text *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	seconds = seconds < 0 ? 0 : seconds;
	while (i < 3 && seconds < units[i].seconds)
		i++;
	pr_text_addf(out, "%" PRId64 "%c", seconds / units[i].seconds, units[i].letter);
}

static void add_shown(struct pr_text *out, struct pr_str text)
{
	if (text.len == 0)
		pr_text_add_byte(out, '-');
	else
		pr_text_add_escaped(out, text, LINE_MAX_SHOWN);
}

static void add_recipients_short(struct pr_text *out, const struct pr_envelope *envelope)
{
	struct pr_str first = PR_NONE;
	size_t count = 0;

	for (size_t i = 0; envelope != NULL && i < envelope->recipient_count; i++)
		if (queue_is_open(&envelope->recipients[i]) && count++ == 0)
			first = envelope->recipients[i].address;
	add_shown(out, first);
	if (count > 1)
		pr_text_addf(out, "(+%zu)", count - 1);
}

void queue_list_line(struct pr_text *out, const struct message *message)
{
	const struct pr_entry *entry = &message->entry;
	struct pr_text age;

	pr_text_init(&age, 64);
	pr_text_add_c(&age, entry->created > 0 ? "" : "-");
	if (entry->created > 0)
		add_age(&age, (int64_t)time(NULL) - entry->created);
	pr_text_addf(out, "%-14.*s %-11s %8" PRId64 " %4s %3" PRId64 "  ", PR_PRINT(entry->id),
	    queue_states[entry->state], entry->body_size, age.data, entry->tries);
	add_shown(out, message->envelope != NULL ? message->envelope->sender : PR_NONE);
	pr_text_add_byte(out, ' ');
	add_recipients_short(out, message->envelope);
	pr_text_add_byte(out, ' ');
	add_shown(out, queue_reason(message));
	pr_text_add_byte(out, '\n');
	pr_text_fini(&age);
}

void queue_list_json(struct pr_text *out, const struct message *message)
{
	const struct pr_entry *entry = &message->entry;
	const struct pr_envelope *envelope = message->envelope;
	bool first = true;

	pr_text_add_c(out, "{\"id\":");
	json_add(out, entry->id);
	pr_text_addf(out,
	    ",\"state\":\"%s\",\"size\":%" PRId64 ",\"created\":%" PRId64 ",\"last_try\":%" PRId64 ",\"tries\":%" PRId64
	    ",\"sender\":",
	    queue_states[entry->state], entry->body_size, entry->created, entry->last_try, entry->tries);
	json_add(out, envelope != NULL ? pr_address_inner(envelope->sender) : PR_NONE);
	pr_text_add_c(out, ",\"recipients\":[");
	for (size_t i = 0; envelope != NULL && i < envelope->recipient_count; i++) {
		if (!queue_is_open(&envelope->recipients[i]))
			continue;
		pr_text_add_c(out, first ? "{\"address\":" : ",{\"address\":");
		json_add(out, pr_address_inner(envelope->recipients[i].address));
		pr_text_add_c(out, ",\"status\":");
		json_add(out, envelope->recipients[i].status);
		pr_text_add_byte(out, '}');
		first = false;
	}
	pr_text_add_c(out, "],\"reason\":");
	json_add(out, queue_reason(message));
	pr_text_add_c(out, "}\n");
}

static void add_moment(struct pr_text *out, const char *label, int64_t when)
{
	time_t t = when;
	struct tm tm;
	char text[64];

	if (when <= 0 || localtime_r(&t, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &tm) == 0) {
		pr_text_addf(out, "%-10s never\n", label);
		return;
	}
	pr_text_addf(out, "%-10s %s, ", label, text);
	add_age(out, (int64_t)time(NULL) - when);
	pr_text_add_c(out, " ago\n");
}

static void add_field(struct pr_text *out, const char *label, struct pr_str value)
{
	pr_text_addf(out, "%-10s ", label);
	add_shown(out, value);
	pr_text_add_byte(out, '\n');
}

static void add_header(struct pr_text *out, const struct pr_header *header)
{
	struct pr_str rest = header->value, line;

	pr_text_addf(out, "%.*s:", PR_PRINT(header->name));
	while (pr_str_next(&rest, '\n', &line)) {
		for (; line.len > 0 && line.data[0] == '\t'; line = pr_str_slice(line, 1, line.len))
			pr_text_add_byte(out, '\t');
		pr_text_add_escaped(out, line, LINE_MAX_SHOWN);
		pr_text_add_byte(out, '\n');
	}
}

void queue_show(struct pr_text *out, const struct message *message)
{
	const struct pr_envelope *envelope = message->envelope;

	add_field(out, "id", message->entry.id);
	add_field(out, "state", pr_str(queue_states[message->entry.state]));
	add_field(out, "reason", queue_reason(message));
	add_field(out, "sender", envelope->sender);
	pr_text_addf(out, "%-10s %" PRId64 " bytes\n", "body", envelope->body_size);
	add_moment(out, "created", envelope->created);
	add_moment(out, "last try", envelope->last_try);
	pr_text_addf(out, "%-10s %" PRId64 "\n%-10s %" PRId64 "\n", "tries", envelope->tries, "priority",
	    envelope->priority);
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct pr_recipient *recipient = &envelope->recipients[i];
		add_field(out, queue_is_open(recipient) ? "recipient" : "delivered", recipient->address);
		if (recipient->status.len > 0)
			add_field(out, "", recipient->status);
	}
	pr_text_add_byte(out, '\n');
	for (size_t i = 0; i < envelope->header_count; i++)
		add_header(out, &envelope->headers[i]);
}
