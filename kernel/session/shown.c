/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's output is looked at where it grows.  Commands are kept until they are whole, for what is a secret in one is known only then.
 */
#include "kernel/session/shown.h"

#include "kernel/log/trace.h"

#define HIDDEN PR_STR("*****")

struct shown {
	struct trace trace;
	struct pr_text command;
	bool was_secret; /* the last command: its reply may repeat it */
	size_t said; /* bytes of the output that were shown and wait to be sent */
};

void shown_begin(struct session *session)
{
	if (!trace_is_on())
		return;
	session->shown = pr_alloc(sizeof *session->shown);
	trace_init(&session->shown->trace);
	pr_text_init(&session->shown->command, SMTP_AUTH_LINE_MAX + 2);
}

/* "AUTH PLAIN AGpvZQ==": what of it may be seen. */
static size_t open_part(struct pr_str line)
{
	struct pr_str rest = pr_str_trim(line), word;

	if (!pr_str_word(&rest, " \t", &word) || !pr_str_equal_nocase(word, PR_STR("AUTH")) || !pr_str_word(&rest, " \t", &word))
		return line.len;
	return (size_t)(word.data + word.len - line.data);
}

static void show_command(struct shown *shown)
{
	struct pr_str line = pr_text_str(&shown->command);
	size_t open = open_part(line);
	struct pr_text text;

	pr_text_init(&text, SMTP_AUTH_LINE_MAX + 16);
	pr_text_add_str(&text, pr_str_slice(line, 0, open));
	if (pr_str_trim(pr_str_slice(line, open, line.len)).len > 0) {
		pr_text_add_byte(&text, ' ');
		pr_text_add_str(&text, HIDDEN);
	}
	trace_line(&shown->trace, TRACE_HEARD, pr_text_str(&text));
	shown->was_secret = open < line.len;
	pr_text_fini(&text);
	pr_text_fini(&shown->command);
}

void shown_end(struct session *session)
{
	struct shown *shown = session->shown;

	if (shown == NULL)
		return;
	if (shown->command.len > 0)
		show_command(shown);
	if (session->quit == 0 && session->broken == 0)
		trace_line(&shown->trace, TRACE_HEARD, PR_STR("[EOF]"));
	pr_text_fini(&shown->command);
	pr_free(shown);
	session->shown = NULL;
}

enum shown_kind shown_kind(const struct session *session)
{
	if (smtp_machine_in_data(session->machine))
		return SHOWN_DATA;
	return smtp_machine_in_exchange(session->machine) ? SHOWN_SECRET : SHOWN_COMMAND;
}

void shown_heard(struct session *session, struct pr_str bytes, enum shown_kind kind)
{
	struct shown *shown = session->shown;

	if (shown == NULL)
		return;
	if (kind == SHOWN_DATA)
		trace_bytes(&shown->trace, TRACE_HEARD, bytes);
	while (kind != SHOWN_DATA && bytes.len > 0) {
		size_t end = pr_str_find(bytes, '\n');
		if (kind == SHOWN_COMMAND)
			pr_text_add_str(&shown->command, pr_str_slice(bytes, 0, end));
		if (end < bytes.len && kind == SHOWN_COMMAND)
			show_command(shown);
		else if (end < bytes.len)
			trace_line(&shown->trace, TRACE_HEARD, HIDDEN), shown->was_secret = true;
		bytes = pr_str_slice(bytes, end + 1, bytes.len);
	}
}

/* "501 5.5.4 cannot BASE64 decode 'c2VjcmV0'" */
static bool repeats_secret(const struct shown *shown, struct pr_str said)
{
	return shown->was_secret && pr_str_has_prefix_nocase(said, PR_STR("501 "));
}

void shown_said(struct session *session)
{
	struct shown *shown = session->shown;
	struct pr_str all, more;

	if (shown == NULL)
		return;
	all = pr_text_str(smtp_machine_output(session->machine));
	more = pr_str_slice(all, shown->said, all.len);
	if (repeats_secret(shown, more))
		trace_line(&shown->trace, TRACE_SAID, PR_STR("501 *****"));
	else
		trace_bytes(&shown->trace, TRACE_SAID, more);
	shown->said = all.len;
}

void shown_sent(struct session *session)
{
	if (session->shown != NULL)
		session->shown->said = smtp_machine_output(session->machine)->len;
}
