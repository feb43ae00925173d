/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every reply passes through one function that prints code, enhanced code and text and escapes what is not printable
 * ASCII or a tab (or UTF-8, where the command asked for that), so no verb can echo a raw byte of the client or of a table.  Texts come from many places; line ends in them make
 * a longer reply, never a second one.
 */
#include "kernel/smtp/internal.h"

#include <string.h>

#define TEXT_MAX 1000 /* of one text, before escaping */
#define LINE_MAX_BYTES 510 /* of a reply, without its CR LF */

/* Bytes from 0x80 on are letters where UTF-8 was asked for, but for the controls of ISO 8859 (U+0080 to U+009F). */
static bool is_shown(struct pr_str text, size_t at, bool utf8)
{
	unsigned char byte = (unsigned char)text.data[at];
	unsigned char before = at > 0 ? (unsigned char)text.data[at - 1] : 0, next = at + 1 < text.len ? (unsigned char)text.data[at + 1] : 0;
	bool is_control = (byte == 0xc2 && next < 0xa0) || (before == 0xc2 && byte < 0xa0);

	return byte == '\t' || (byte >= 0x20 && byte < 0x7f) || (utf8 && byte > 0x7f && !is_control);
}

/* How much of the text goes into one line that has so much room once it is escaped; no letter is cut. */
static size_t fitting(struct pr_str text, size_t room, bool utf8)
{
	size_t i = 0;

	for (size_t used = 0; i < text.len; i++) {
		used += is_shown(text, i, utf8) ? 1 : 4;
		if (used > room)
			break;
	}
	while (utf8 && i > 0 && i < text.len && ((unsigned char)text.data[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static void add_shown(struct pr_text *out, struct pr_str text, bool utf8)
{
	size_t begin = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (is_shown(text, i, utf8))
			continue;
		pr_text_add(out, text.data + begin, i - begin);
		pr_text_addf(out, "\\%03o", (unsigned int)(unsigned char)text.data[i]);
		begin = i + 1;
	}
	pr_text_add(out, text.data + begin, text.len - begin);
}

static void add_line(struct smtp_machine *machine, uint32_t code, char mark, const char *enhanced, struct pr_str text)
{
	struct pr_text *out = &machine->output;
	struct pr_str rest = pr_str_slice(text, 0, TEXT_MAX);
	bool utf8 = machine->utf8_reply && pr_utf8_is_valid(text);
	char head[32];
	int printed = pr_print(head, sizeof head, "%03u%c%s%s", code % 1000, mark, enhanced != NULL ? enhanced : "",
	    enhanced != NULL && text.len > 0 ? " " : "");
	size_t len = (size_t)printed < sizeof head ? (size_t)printed : sizeof head - 1, taken;

	do {
		taken = fitting(rest, LINE_MAX_BYTES - len, utf8);
		head[3] = taken < rest.len ? '-' : mark;
		pr_text_add(out, head, len);
		add_shown(out, pr_str_slice(rest, 0, taken), utf8);
		pr_text_add(out, "\r\n", 2);
		rest = pr_str_slice(rest, taken, rest.len);
	} while (rest.len > 0);
}

/* Splits the text at LF; the last line gets `mark`. */
static void add_lines(struct smtp_machine *machine, uint32_t code, char mark, const char *enhanced, struct pr_str text)
{
	struct pr_str rest = text, line = text;

	for (size_t lines = 0; lines < SMTP_LIST_MAX; lines++) {
		size_t end = pr_str_find(rest, '\n');
		line = pr_str_slice(rest, 0, end);
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (end + 1 >= rest.len)
			break;
		rest = pr_str_slice(rest, end + 1, rest.len);
		add_line(machine, code, '-', enhanced, line);
	}
	add_line(machine, code, mark, enhanced, line);
}

static void reply(struct smtp_machine *machine, uint32_t code, char mark, const char *enhanced, const char *format,
    va_list args) __attribute__((format(printf, 5, 0)));

static void reply(struct smtp_machine *machine, uint32_t code, char mark, const char *enhanced, const char *format,
    va_list args)
{
	char text[TEXT_MAX + 1];
	int len = pr_format(text, sizeof text, format, args);

	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof text)
		len = sizeof text - 1;
	add_lines(machine, code, mark, enhanced, (struct pr_str){text, (size_t)len});
}

void smtp_reply(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply(machine, code, ' ', enhanced, format, args);
	va_end(args);
}

void smtp_reply_part(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply(machine, code, '-', enhanced, format, args);
	va_end(args);
}

void smtp_reply_421(struct smtp_machine *machine, const char *enhanced, const char *format, ...)
{
	char text[TEXT_MAX + 1];
	va_list args;

	va_start(args, format);
	pr_format(text, sizeof text, format, args);
	va_end(args);
	smtp_reply(machine, 421, enhanced, "%.*s %s", PR_PRINT(machine->settings->host_name), text);
	smtp_leave(machine);
}

/* What an answer says, with the gaps filled. */
struct refusal_view {
	uint32_t code;
	char enhanced[16];
	struct pr_str text;
};

static bool is_enhanced(struct pr_str text)
{
	if (text.len < 5 || text.len > 15)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '.' && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
	return true;
}

/* A code of the wrong class (a filter that rejects with 250) must not turn a refusal into a yes. */
static struct refusal_view view_refusal(const struct smtp_answer *answer, const struct smtp_standard *standard)
{
	const struct pr_verdict *verdict = &answer->verdict;
	bool reject = verdict->action == PR_REJECT;
	struct refusal_view view = {.code = verdict->code, .text = verdict->text};
	const char *enhanced = NULL;

	if (view.code < 400 || view.code > 599) {
		view.code = reject ? standard->reject_code : standard->defer_code;
		enhanced = reject ? standard->reject_enhanced : standard->defer_enhanced;
	}
	if (is_enhanced(verdict->enhanced) && verdict->enhanced.data[0] == (char)('0' + view.code / 100))
		pr_print(view.enhanced, sizeof view.enhanced, "%.*s", PR_PRINT(verdict->enhanced));
	else
		pr_print(view.enhanced, sizeof view.enhanced, "%s", enhanced != NULL ? enhanced : view.code < 500 ? "4.0.0" : "5.0.0");
	if (view.text.data == NULL || view.text.len == 0)
		view.text = pr_str(reject ? standard->reject_text : standard->defer_text);
	return view;
}

bool smtp_names_address(uint32_t code)
{
	return code == 450 || code == 550 || code == 553;
}

void smtp_reply_refused(struct smtp_machine *machine, const struct smtp_answer *answer, struct pr_str about,
    const struct smtp_standard *standard)
{
	struct refusal_view view = view_refusal(answer, standard);

	if (about.data != NULL && !answer->as_it_is && smtp_names_address(view.code))
		smtp_reply(machine, view.code, view.enhanced, "%s... %.*s", smtp_shorten(about).text, PR_PRINT(view.text));
	else
		smtp_reply(machine, view.code, view.enhanced, "%.*s", PR_PRINT(view.text));
	/* a rule that says 421 of an address has spoken of that address, as sendmail has it */
	if (view.code == 421 && !answer->stays && (about.data == NULL || answer->as_it_is))
		smtp_leave(machine);
}

void smtp_refusal_clear(struct smtp_refusal *refusal)
{
	pr_free(refusal->enhanced);
	pr_free(refusal->text);
	*refusal = (struct smtp_refusal){0, NULL, NULL};
}

void smtp_refusal_set(struct smtp_refusal *refusal, const struct smtp_answer *answer, const struct smtp_standard *standard)
{
	struct refusal_view view = view_refusal(answer, standard);

	smtp_refusal_clear(refusal);
	refusal->code = view.code;
	refusal->enhanced = pr_copy_c(view.enhanced);
	refusal->text = pr_copy_str(pr_str_slice(view.text, 0, TEXT_MAX));
}

void smtp_reply_refusal(struct smtp_machine *machine, const struct smtp_refusal *refusal)
{
	smtp_reply(machine, refusal->code, refusal->enhanced, "%s", refusal->text);
}

struct smtp_short smtp_shorten(struct pr_str text)
{
	struct smtp_short shortened;
	const size_t max = 203, half = 100;

	if (text.len <= max)
		pr_print(shortened.text, sizeof shortened.text, "%.*s", PR_PRINT(text));
	else
		pr_print(shortened.text, sizeof shortened.text, "%.*s...%.*s", (int)half, text.data, (int)half,
		    text.data + text.len - half);
	return shortened;
}

struct smtp_short smtp_client(const struct smtp_machine *machine)
{
	const struct smtp_settings *settings = machine->settings;
	struct smtp_short client;
	bool bare = settings->submission || pr_str_find(settings->client_name, '[') == 0;

	/* a client without a name is called by its address already */
	if (bare)
		pr_print(client.text, sizeof client.text, "%.*s", PR_PRINT(settings->client_name));
	else
		pr_print(client.text, sizeof client.text, "%.*s [%.*s]%s", PR_PRINT(settings->client_name),
		    PR_PRINT(settings->client_address), settings->forged ? " (may be forged)" : "");
	return client;
}
