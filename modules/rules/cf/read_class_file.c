/* SPDX-License-Identifier: BSD-2-Clause
 *
 * F lines: the members of a class come from a file (`Fw/etc/mail/local-host-names %[^\#]`, -o: it may be missing), from a program
 * (`Fw|/bin/echo x`), or from a map (read_class_map.c).
 */
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <postrider/mapflags.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20)
#define WORD_MAX 1024

/* What closes the set of %[...: a `#` in it that was not written as `\#` began a comment, and the set ends with the line. */
static const char *closing(const char *kind)
{
	const char *set = kind + 1 + (kind[1] == '^');

	if (*kind != '[' || (*set != '\0' && strchr(set + 1, ']') != NULL))
		return "";
	return *set == '\0' ? "\n]" : "]";
}

/* Behind the conversion whose letter is at `kind`; NULL: class files have no such one. */
static const char *end_of(const char *kind)
{
	const char *set = kind + 1 + (kind[0] == '[' && kind[1] == '^'), *close;

	if (*kind == 's' || *kind == 'c')
		return kind + 1;
	if (*kind != '[')
		return NULL;
	close = *set == '\0' ? NULL : strchr(set + 1, ']');
	return close == NULL ? kind + strlen(kind) : close + 1;
}

static int width_of(const char *digits, char kind)
{
	long width = strtol(digits, NULL, 10);

	if (digits[0] < '0' || digits[0] > '9' || width == 0)
		return kind == 'c' ? 1 : WORD_MAX - 1;
	return width < WORD_MAX ? (int)width : WORD_MAX - 1;
}

#define FORMAT_MAX 250u

/* The format with a bound to what it stores: one %s, %[set] or %c; others are passed over (%*s).  False: it stores something else, more or less. */
static bool bound(const char *format, char out[FORMAT_MAX * 4])
{
	size_t length = 0;
	int stored = 0;

	if (strlen(format) > FORMAT_MAX)
		return false;
	for (const char *at = format, *end; *at != '\0'; at = end) {
		const char *width = at + 1 + (at[1] == '*'), *kind = width + strspn(width, "0123456789");
		if (*at != '%' || at[1] == '%') {
			end = at + 1 + (*at == '%');
			length += (size_t)snprintf(out + length, FORMAT_MAX * 4 - length, "%.*s", (int)(end - at), at);
			continue;
		}
		end = end_of(kind);
		if (end == NULL)
			return false;
		if (at[1] == '*')
			length += (size_t)snprintf(out + length, FORMAT_MAX * 4 - length, "%.*s%s", (int)(end - at), at, closing(kind));
		else
			length += (size_t)snprintf(out + length, FORMAT_MAX * 4 - length, "%%%d%.*s%s", width_of(width, *kind), (int)(end - kind), kind, closing(kind));
		stored += at[1] != '*';
	}
	return stored == 1;
}

/* What scanf stores of the line by this format. */
static bool convert(struct pr_str line, const char *format, char word[WORD_MAX])
{
	char bounded[FORMAT_MAX * 4] = "";

	if (!bound(format, bounded))
		return false;
	memset(word, 0, WORD_MAX); /* %2c ends nothing */
	char *copy = pr_copy_str(line);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	bool good = sscanf(copy, bounded, word) == 1; /* the format has one bounded conversion: see above */
#pragma GCC diagnostic pop
	pr_free(copy);
	return good;
}

void cf_class_add_words(struct cf *cf, uint16_t number, struct pr_str words)
{
	struct pr_str word;

	while (pr_map_word(&words, &word))
		cf_phrases_add(cf_class_get(cf, number), word);
}

static void add_line(struct cf *cf, uint16_t number, struct pr_str line, const char *format)
{
	char word[WORD_MAX];

	if (convert(line, format, word))
		cf_class_add_words(cf, number, pr_str(word));
}

static void add_lines(struct cf *cf, uint16_t number, struct pr_str text, const char *format)
{
	struct pr_str line;

	while (text.len > 0 && pr_str_next(&text, '\n', &line))
		if (line.len > 0 && line.data[0] != '#')
			add_line(cf, number, line, format);
}

static bool read_all(int fd, struct pr_text *out)
{
	char buffer[8192];

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got == 0)
			return true;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !pr_text_add(out, buffer, (size_t)got))
			return false;
	}
}

static void complain_irregular(struct cf *cf, struct pr_str path)
{
	cf_note(cf, "fileclass: cannot open '%.*s': Regular files only", PR_PRINT(path));
	cf_fail(cf, CF_OSERR); /* the words are sendmail's own, the status is that of the system's */
}

/* Others cannot have written it; else this is told. */
static bool is_safe(struct cf *cf, struct pr_str path, uint32_t uid)
{
	uint32_t flags = pr_safe_flags(PR_SAFE_CLASS, PR_STR("")) | cf->safe_class;
	struct pr_text why;

	if (path.data[0] != '/') /* below wherever somebody stands who tries it */
		return true;
	pr_text_init(&why, 200);
	bool good = pr_file_is_safe(path.data, uid, flags, &why);
	if (!good)
		cf_note(cf, "fileclass: cannot open '%.*s': %s", PR_PRINT(path), why.data);
	pr_text_fini(&why);
	return good;
}

static void from_file(struct cf *cf, uint16_t number, struct pr_str path, const char *format, bool is_optional)
{
	struct pr_text text;
	struct stat status;
	int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		if (!is_optional)
			cf_complain_system(cf, errno, "fileclass: cannot open '%.*s'", PR_PRINT(path));
		return;
	}
	pr_text_init(&text, FILE_MAX);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		complain_irregular(cf, path);
	else if (!is_safe(cf, path, (uint32_t)status.st_uid))
		cf_fail(cf, CF_OSERR);
	else if (!read_all(fd, &text))
		cf_complain(cf, "fileclass: cannot read '%.*s': %s", PR_PRINT(path), text.overflow ? "too large" : strerror(errno));
	else
		add_lines(cf, number, pr_text_str(&text), format);
	pr_text_fini(&text);
	close(fd);
}

static bool start(const char *command, int out, pid_t *pid_out)
{
	posix_spawn_file_actions_t actions;
	char *arguments[] = { "/bin/sh", "-c", (char *)(uintptr_t)command, NULL };
	char *environment[] = { "PATH=/usr/bin:/bin", NULL };

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	int error = posix_spawn(pid_out, "/bin/sh", &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	return error == 0;
}

static void from_program(struct cf *cf, uint16_t number, struct pr_str command, const char *format)
{
	struct pr_text text;
	int pipes[2];
	pid_t pid = -1;

	if (pipe2(pipes, O_CLOEXEC) != 0) {
		cf_complain(cf, "fileclass: cannot run '%.*s': %s", PR_PRINT(command), strerror(errno));
		return;
	}
	pr_text_init(&text, FILE_MAX);
	bool started = start(command.data, pipes[1], &pid);
	close(pipes[1]);
	if (!started || !read_all(pipes[0], &text))
		cf_complain(cf, "fileclass: cannot run '%.*s'", PR_PRINT(command));
	else
		add_lines(cf, number, pr_text_str(&text), format);
	while (started && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(pipes[0]);
	pr_text_fini(&text);
}

/* Takes the path (quotes are allowed) off the front. */
static struct pr_str take_path(struct pr_str *rest)
{
	size_t end = 0;

	*rest = pr_str_trim(*rest);
	if (rest->len > 0 && rest->data[0] == '"') {
		struct pr_str tail = pr_str_slice(*rest, 1, rest->len);
		end = pr_str_find(tail, '"');
		*rest = pr_str_trim(pr_str_slice(tail, end + 1, tail.len));
		return pr_str_slice(tail, 0, end);
	}
	while (end < rest->len && rest->data[end] != ' ' && rest->data[end] != '\t')
		end++;
	struct pr_str path = pr_str_slice(*rest, 0, end);
	*rest = pr_str_trim(pr_str_slice(*rest, end, rest->len));
	return path;
}

void cf_read_class_file(struct cf *cf, struct pr_str line)
{
	uint16_t number = cf_names_read(&cf->names, &line);
	bool is_optional = false;

	cf_complain_names(cf);
	if (number == CF_NAME_NONE)
		return;
	cf_class_get(cf, number);
	struct pr_str rest = pr_str_trim(cf_shown(cf, line)); /* macros are not for it */
	if (pr_str_has_prefix_nocase(rest, PR_STR("-o"))) {
		is_optional = true;
		(void)take_path(&rest); /* a name right behind it belongs to the flag, and is none */
	}
	if (cf_read_class_map(cf, number, rest, is_optional))
		return;
	struct pr_str path = pr_arena_copy(&cf->arena, take_path(&rest));
	if (path.len > 0 && path.data[0] == '|') { /* with its arguments when all is in quotes; else, as there, they are lost */
		from_program(cf, number, pr_str_slice(path, 1, path.len), "%s");
		return;
	}
	struct pr_str format = rest.len > 0 ? pr_arena_copy(&cf->arena, rest) : PR_STR("%s");
	if (path.len > 0)
		from_file(cf, number, path, format.data, is_optional);
	else
		cf_complain(cf, "fileclass: missing file name");
}
