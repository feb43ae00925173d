/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of letters, each with the bytes that may stand behind it in a sendmail.cf, and one look whether libconfig could
 * read the line as `name = value` too.  Only bytes are looked at, so that the small sendmail can ask as well.
 */
#include "kernel/config/dialect.h"

#include <postrider/file.h>

#include <stdlib.h>
#include <string.h>

#define CONFIG_FILE CONFIG_DIR "/postrider.conf"
#define BEGINNING_MAX (4u << 20)
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* What must follow the letter in the first column; NULL: anything but the end of the line. */
static const struct command {
	char letter;
	const char *follows;
} commands[] = {
    {'V', NULL},
    {'D', NULL},
    {'C', NULL},
    {'F', NULL},
    {'E', LETTERS "_"},
    {'H', LETTERS "?*"},
    {'K', LETTERS DIGITS "_."},
    {'M', LETTERS DIGITS "_*"},
    {'O', LETTERS DIGITS " "},
    {'P', LETTERS},
    {'Q', LETTERS DIGITS "_"},
    {'R', NULL},
    {'S', LETTERS DIGITS "_ "},
    {'T', LETTERS DIGITS "_ "},
    {'X', LETTERS DIGITS "_"},
};

static bool is_command(struct pr_str line)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (line.data[0] == commands[i].letter)
			return line.len > 1 && (commands[i].follows == NULL || strchr(commands[i].follows, line.data[1]) != NULL);
	return false;
}

static bool is_one_of(struct pr_str text, size_t at, const char *bytes)
{
	return at < text.len && text.data[at] != '\0' && strchr(bytes, text.data[at]) != NULL;
}

/* A name, = or :, and then nothing more or what a value of libconfig begins with. */
static bool is_setting(struct pr_str line)
{
	size_t at = 0;

	while (is_one_of(line, at, LETTERS DIGITS "_-*"))
		at++;
	while (is_one_of(line, at, " \t"))
		at++;
	if (!is_one_of(line, at, "=:"))
		return false;
	struct pr_str value = pr_str_trim(pr_str_slice(line, at + 1, line.len));
	return value.len == 0 || is_one_of(value, 0, "\"{([+-." DIGITS) || pr_str_has_prefix_nocase(value, PR_STR("true")) ||
	       pr_str_has_prefix_nocase(value, PR_STR("false"));
}

bool dialect_is_cf(struct pr_str bytes)
{
	struct pr_str line;

	while (bytes.len > 0 && pr_str_next(&bytes, '\n', &line)) {
		if (pr_str_trim(line).len == 0 || line.data[0] == '#' || (is_command(line) && is_setting(line)))
			continue;
		return is_command(line);
	}
	return false;
}

bool dialect_file_is_cf(const char *path)
{
	struct pr_text bytes, why;

	pr_text_init(&bytes, BEGINNING_MAX);
	pr_text_init(&why, 1000);
	bool is_cf = pr_file_read(path, BEGINNING_MAX, &bytes, &why) == PR_OK && dialect_is_cf(pr_text_str(&bytes));
	pr_text_fini(&why);
	pr_text_fini(&bytes);
	return is_cf;
}

const char *dialect_site_path(void)
{
	const char *told = secure_getenv("POSTRIDER_CONF");

	return told != NULL && told[0] == '/' ? told : CONFIG_FILE;
}
