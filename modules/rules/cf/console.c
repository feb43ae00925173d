/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte of a line says what it is.
 */
#include "console.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The name at the front of *rest; what is wrong with it is shown. */
static uint16_t read_name(struct cf_run *run, struct pr_str *rest)
{
	uint16_t number = cf_names_read(&run->cf->names, rest);

	if (run->cf->names.problems.len > 0)
		cf_run_fail(run, CF_SOFTWARE);
	pr_text_add_str(run->trace, pr_text_str(&run->cf->names.problems));
	pr_text_clear(&run->cf->names.problems);
	return number;
}

/* .D and .C ------------------------------------------------------------- */

static void add_words(struct cf_run *run, uint16_t number, struct pr_str words)
{
	struct pr_str word;

	while (words.len > 0 && pr_str_next(&words, ' ', &word)) {
		word = pr_str_trim(word);
		if (word.len > 0)
			cf_phrases_add(cf_class_get(run->cf, number), word);
	}
}

/* A macro in the value is kept, as it is written short: ${j} is $j. */
static void set_value(struct cf_run *run, uint16_t number, struct pr_str value)
{
	struct cf_code code = {0};
	struct pr_text text;

	pr_text_init(&text, CF_CODE_MAX);
	cf_code_parse(&code, &run->cf->names, value);
	cf_code_print(&code, &run->cf->names, &text);
	cf_overlay_set(run->overlay, number, pr_text_str(&text));
	cf_code_fini(&code);
	pr_text_fini(&text);
}

static void define(struct cf_run *run, struct pr_str line)
{
	char what = line.len > 1 ? line.data[1] : '\0';
	struct pr_str rest = pr_str_slice(line, 2, line.len);

	if (what == '\0') {
		pr_text_add_c(run->trace, "Usage: .[DC]macro value(s)\n");
		return;
	}
	if (what != 'D' && what != 'C') {
		pr_text_addf(run->trace, "Unknown \".\" command %.*s\n", PR_PRINT(line));
		return;
	}
	if (what == 'C' && rest.len == 0)
		return;
	uint16_t number = read_name(run, &rest);
	if (number == CF_NAME_NONE)
		return;
	if (what == 'D')
		set_value(run, number, rest);
	else
		add_words(run, number, cf_expand_text(run->cf, rest));
}

/* $x and $=x ------------------------------------------------------------ */

/* Members come in the order of sendmail's table of symbols, which scripts have seen for years: by this hash, then as they were added. */
static uint32_t place_of(struct pr_str member)
{
	uint32_t place = 1;

	for (size_t i = 0; i < member.len; i++) {
		uint32_t c = (unsigned char)member.data[i];
		place = (place << 1 ^ (c - 'A' < 26u ? c | 0x20 : c)) % 2003;
	}
	return place;
}

struct placed {
	uint32_t place;
	uint32_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct placed *left = a, *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

static void show_members(struct cf_run *run, const struct cf_phrases *phrases)
{
	struct placed *placed = pr_alloc((phrases->count + 1) * sizeof *placed);

	for (size_t i = 0; i < phrases->count; i++)
		placed[i] = (struct placed){ place_of(phrases->items[i]), (uint32_t)i };
	qsort(placed, phrases->count, sizeof *placed, compare_places);
	for (size_t i = 0; i < phrases->count; i++)
		pr_text_addf(run->trace, "%.*s\n", PR_PRINT(phrases->items[placed[i].index]));
	pr_free(placed);
}

static void show_class(struct cf_run *run, struct pr_str rest)
{
	uint16_t number = read_name(run, &rest);

	if (number == CF_NAME_NONE)
		return;
	show_members(run, cf_class_find(run->cf, number));
}

/* The value as it was defined: dollars and all. */
static void show_macro(struct cf_run *run, struct pr_str rest)
{
	uint16_t number = read_name(run, &rest);

	if (number == CF_NAME_NONE)
		return;
	const struct cf_macro *macro = cf_macro_find(run->cf, number);
	bool is_set_here = false;
	for (size_t i = 0; i < run->overlay->count; i++)
		is_set_here = is_set_here || run->overlay->items[i].number == number;
	if (macro != NULL && !is_set_here) {
		cf_code_print(&macro->value, &run->cf->names, run->trace);
		pr_text_add_byte(run->trace, '\n');
		return;
	}
	struct pr_str value = cf_macro_text(run, number);
	pr_text_addf(run->trace, "%.*s\n", value.data == NULL ? 9 : (int)value.len, value.data == NULL ? "Undefined" : value.data);
}

static void dollar(struct cf_run *run, struct pr_str line)
{
	if (line.len > 1 && strchr("&~?.|#@:>*+-[]()0123456789", line.data[1]) != NULL) /* as there: the operator, not a macro */
		pr_text_addf(run->trace, "$%c\n", line.data[1]);
	else if (line.len > 1 && line.data[1] == '=')
		show_class(run, pr_str_slice(line, 2, line.len));
	else
		show_macro(run, pr_str_slice(line, 1, line.len));
}

/* what -bt sets ---------------------------------------------------------- */

static void set(struct cf_run *run, const char *name, const char *value)
{
	cf_overlay_set(run->overlay, cf_names_get(&run->cf->names, pr_str(name)), pr_str(value));
}

/* $b, the date as in a header. */
static void set_date(struct cf_run *run)
{
	char text[64];
	struct tm broken;
	time_t now = time(NULL);

	if (localtime_r(&now, &broken) == NULL)
		return;
	strftime(text, sizeof text, broken.tm_gmtoff == 0 ? "%a, %d %b %Y %H:%M:%S GMT" : "%a, %d %b %Y %H:%M:%S %z", &broken);
	if (text[5] == '0') /* the day of the month has no leading zero */
		memmove(text + 5, text + 6, strlen(text + 6) + 1);
	set(run, "b", text);
}

void cf_console_type(struct cf_run *run)
{
	static const char *const types[] = { "e r", "h r", "e s", "h s" };

	set(run, "addr_type", types[run->cf->try_flags & 3u]);
}

static void begin(struct cf_run *run)
{
	run->thread->is_begun = true;
	run->cf->names.is_sealed = false; /* the console owns the process */
	set(run, "opMode", "t");
	cf_console_type(run);
	set_date(run);
}

/* ----------------------------------------------------------------------- */

static const char help[] =
    "Lines of the address test mode:\n"
    "  SET[,SET...] ADDRESS[, ADDRESS...]   rewrites by these sets, with a trace\n"
    "  /parse ADDRESS                       mailer, host and user of a recipient\n"
    "  /try MAILER ADDRESS                  the form of an address for a mailer\n"
    "  /tryflags [HE][SR]                   header or envelope, sender or recipient\n"
    "  /map MAP KEY   /mx HOST   /canon HOST   /quit\n"
    "  =S SET         the rules of a set      =M            all mailers\n"
    "  $x ${name}     a macro                 $=x $={name}  a class\n"
    "  .Dx value      sets a macro            .Cx words     adds to a class\n"
    "  -d21.12        traces rules; -d21.0 no longer\n";

/* Whatever stands behind it. */
static bool is_quit(struct pr_str line)
{
	struct pr_str word;

	return pr_str_word(&line, " \t", &word) && pr_str_equal_nocase(word, PR_STR("/quit"));
}

enum pr_status cf_console(struct pr_call *call, struct pr_str line, struct pr_text *out)
{
	struct cf_run run;

	cf_run_init(&run, call);
	run.trace = out;
	run.tracing = run.cf->tracing;
	if (!run.thread->is_begun)
		begin(&run);
	if (line.data == NULL) {
		pr_text_add_str(out, pr_text_str(&run.cf->messages));
		return PR_OK;
	}
	while (line.len > 0 && line.data[0] == ' ')
		line = pr_str_slice(line, 1, line.len);
	switch (line.len > 0 ? line.data[0] : '\0') {
	case '\0':
	case '#': break;
	case '?': pr_text_add_c(out, help); break;
	case '.': define(&run, line); break;
	case '=': cf_console_show(&run, line); break;
	case '-': cf_console_debug(&run, line); break;
	case '$': dollar(&run, line); break;
	case '/':
		if (is_quit(line))
			return PR_NOTFOUND;
		cf_console_slash(&run, line);
		break;
	default: cf_console_sets(&run, line); break;
	}
	return PR_OK;
}
