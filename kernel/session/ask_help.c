/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HELP from HelpFile, which has sendmail's form: a topic, a blank or tab, and a line of text; macros are expanded when the file begins with
 * "#vers 2".  As there a topic is found by its beginning.  The file is read once, by each generation.
 */
#include "kernel/session/ask.h"

#include "config.h"
#include "kernel/config/rights.h"
#include "kernel/log/log.h"

#include <ctype.h>

#define FILE_MAX (256u * 1024)
#define LINES_MAX 500
#define VERSION_MACROS 2

void help_open(struct receiver *receiver)
{
	const struct options *options = receiver->options;
	struct pr_text why;

	pr_text_init(&receiver->help, FILE_MAX);
	if (options->help_file.len == 0)
		return;
	pr_text_init(&why, 1000);
	receiver->has_help = rights_read_help(options, &receiver->help, &why) == PR_OK;
	if (receiver->has_help == 0)
		log_line(LOGP_WARNING, NULL, "HelpFile: %s; HELP has a text of its own", why.len > 0 ? why.data : options->help_file.data);
	pr_text_fini(&why);
}

void help_close(struct receiver *receiver)
{
	pr_text_fini(&receiver->help);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool next_line(struct pr_str *rest, struct pr_str *line_out)
{
	size_t end = pr_str_find(*rest, '\n');

	if (rest->len == 0)
		return false;
	*line_out = pr_str_slice(*rest, 0, end);
	*rest = pr_str_slice(*rest, end + 1, rest->len);
	if (line_out->len > 0 && line_out->data[line_out->len - 1] == '\r')
		line_out->len--;
	return true;
}

/* Of "#vers\t2" the number; 0: it has none, or one that we do not know. */
static uint64_t version_of(struct pr_str file)
{
	const struct pr_str mark = PR_STR("#vers\t");
	struct pr_str line = PR_STR("");
	uint64_t version = 0;

	if (!next_line(&file, &line) || !pr_str_has_prefix_nocase(line, mark) ||
	    !pr_str_number(pr_str_trim(pr_str_slice(line, mark.len, line.len)), VERSION_MACROS, &version))
		return 0;
	return version;
}

static struct pr_str lower(struct pr_arena *arena, struct pr_str text)
{
	char *copy = pr_arena_alloc(arena, text.len + 1);

	for (size_t i = 0; copy != NULL && i < text.len; i++)
		copy[i] = (char)tolower((unsigned char)text.data[i]);
	return copy == NULL ? PR_STR("") : (struct pr_str){copy, text.len};
}

static struct pr_str text_of(struct ask *ask, struct pr_str line, bool expand)
{
	struct pr_str text, result = PR_NONE;
	size_t at = 0;

	while (at < line.len && !is_blank(line.data[at]))
		at++;
	text = pr_str_slice(line, at + 1, line.len);
	return expand && rules_expand(ask->scope, text, &result) == PR_OK ? result : text;
}

void ask_help(struct ask *ask)
{
	struct pr_arena *arena = &ask->bench->arena;
	struct pr_str rest = pr_text_str(&ask->session->receiver->help), line = PR_STR(""), said = ask->question->argument;
	struct pr_str topic = said.len > 0 ? lower(arena, said) : PR_STR("smtp");
	struct pr_str *items = pr_arena_alloc(arena, LINES_MAX * sizeof *items);
	bool expand = version_of(rest) >= VERSION_MACROS;
	size_t count = 0;

	if (!expand && said.len == 0 && items != NULL)
		items[count++] = PR_STR("This is postrider version " PACKAGE_VERSION);
	while (items != NULL && count < LINES_MAX && next_line(&rest, &line)) {
		bool meant = line.len >= topic.len && line.data[0] != '#' && pr_str_equal(pr_str_slice(line, 0, topic.len), topic);
		if (meant)
			items[count++] = text_of(ask, line, expand);
	}
	ask->answer->lines = (struct pr_list){items, count};
	if (count == 0 && said.len > 0)
		ask_refuse(ask, PR_REJECT, 504, "5.3.0", "");
}
