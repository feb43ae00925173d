/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass over the text with a depth counter; a word at depth 0 that is followed by = or : and a quoted string is a
 * setting. A real parser would be another library to load for each letter that cron sends.
 */
#include "kernel/command/sendmail/places.h"

#include "kernel/config/dialect.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sysexits.h>

#define CONFIG_MAX (4u << 20)

struct scan {
	struct pr_str text;
	size_t at;
};

static char look(const struct scan *scan, size_t ahead)
{
	return scan->at + ahead < scan->text.len ? scan->text.data[scan->at + ahead] : '\0';
}

static void skip_to(struct scan *scan, const char *end)
{
	size_t len = strlen(end);

	while (scan->at < scan->text.len &&
	       !(scan->text.len - scan->at >= len && memcmp(scan->text.data + scan->at, end, len) == 0))
		scan->at++;
	scan->at = scan->text.len - scan->at >= len ? scan->at + len : scan->text.len;
}

static void skip_blanks(struct scan *scan)
{
	for (;;) {
		char byte = look(scan, 0);
		if (byte == '#' || (byte == '/' && look(scan, 1) == '/'))
			skip_to(scan, "\n");
		else if (byte == '/' && look(scan, 1) == '*')
			skip_to(scan, "*/");
		else if (byte != '\0' && strchr(" \t\r\n", byte) != NULL)
			scan->at++;
		else
			return;
	}
}

/* The string between the quotes; paths hold no escapes, one that does is not taken. */
static struct pr_str quoted(struct scan *scan, bool *escaped_out)
{
	size_t start = ++scan->at;

	*escaped_out = false;
	for (; scan->at < scan->text.len && look(scan, 0) != '"'; scan->at++)
		if (look(scan, 0) == '\\') {
			*escaped_out = true;
			scan->at++;
		}
	struct pr_str inside = pr_str_slice(scan->text, start, scan->at);
	scan->at = scan->at < scan->text.len ? scan->at + 1 : scan->text.len;
	return inside;
}

static bool is_word(char byte)
{
	return byte != '\0' &&
	       strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-*", byte) != NULL;
}

static bool set_path(char *field, struct pr_str value)
{
	if (value.len == 0 || value.len >= PLACES_PATH_MAX || value.data[0] != '/' ||
	    memchr(value.data, '\0', value.len) != NULL)
		return false;
	memcpy(field, value.data, value.len);
	field[value.len] = '\0';
	return true;
}

static bool setting(struct scan *scan, struct places *places)
{
	static const struct {
		const char *name;
		size_t field;
	} rows[] = {{"run_directory", offsetof(struct places, run_directory)},
	    {"drop_directory", offsetof(struct places, drop_directory)}};
	size_t start = scan->at;
	bool escaped, found = false;

	while (is_word(look(scan, 0)))
		scan->at++;
	struct pr_str name = pr_str_slice(scan->text, start, scan->at);
	skip_blanks(scan);
	if (look(scan, 0) != '=' && look(scan, 0) != ':')
		return false;
	scan->at++;
	skip_blanks(scan);
	if (look(scan, 0) != '"')
		return false;
	struct pr_str value = quoted(scan, &escaped);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!escaped && pr_str_equal(name, pr_str(rows[i].name)))
			found = set_path((char *)places + rows[i].field, value);
	return found;
}

bool places_scan(struct pr_str text, struct places *places)
{
	struct scan scan = {text, 0};
	bool found = false, escaped;
	size_t depth = 0;

	for (skip_blanks(&scan); scan.at < text.len; skip_blanks(&scan)) {
		char byte = look(&scan, 0);
		if (byte == '"')
			quoted(&scan, &escaped);
		else if (depth == 0 && is_word(byte))
			found = setting(&scan, places) || found;
		else {
			if (byte != '\0' && strchr("{([", byte) != NULL)
				depth++;
			else if (byte != '\0' && strchr("})]", byte) != NULL && depth > 0)
				depth--;
			scan.at++;
		}
	}
	return found;
}

static enum pr_status scan_file(const char *path, struct places *places, bool *is_cf_out, struct pr_text *why)
{
	struct pr_text text;

	pr_text_init(&text, CONFIG_MAX);
	enum pr_status status = pr_file_read(path, CONFIG_MAX, &text, why);
	*is_cf_out = status == PR_OK && dialect_is_cf(pr_text_str(&text));
	if (status == PR_OK && !*is_cf_out)
		(void)places_scan(pr_text_str(&text), places);
	pr_text_fini(&text);
	return status;
}

static void join(char *out, size_t room, const char *directory, const char *name)
{
	size_t len = strlen(directory), more = strlen(name) + 1;

	if (len + more > room)
		len = room - more;
	memcpy(out, directory, len);
	memcpy(out + len, name, more);
}

int places_find(const char *config, struct places *places, struct pr_text *error)
{
	struct pr_text why;
	bool is_cf = false;
	int status = EX_OK;

	*places = (struct places){RUN_DIR, STATE_DIR "/drop", "", ""};
	pr_text_init(&why, 1000);
	if (config != NULL && scan_file(config, places, &is_cf, &why) != PR_OK) {
		pr_text_addf(error, "%s: line 0: cannot open: %s", config, strerror(errno));
		status = EX_OSFILE;
	}
	if (config == NULL || is_cf) /* missing, or one we may not read: the defaults are what is left */
		(void)scan_file(dialect_site_path(), places, &is_cf, &why);
	pr_text_fini(&why);
	join(places->submit_socket, sizeof places->submit_socket, places->run_directory, "/submit.sock");
	join(places->control_socket, sizeof places->control_socket, places->run_directory, "/control.sock");
	return status;
}
