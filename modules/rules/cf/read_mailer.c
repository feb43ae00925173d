/* SPDX-License-Identifier: BSD-2-Clause
 *
 * M, Q and X lines: a name and equates, `Msmtp, P=[IPC], F=mDFMuX, S=11/31, A=TCP $h`.  Only the first letter of an equate counts.  One
 * reader cuts all three; a table for each says which letters it knows.  Values keep their dollars: they are expanded when mail goes out.
 */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <pwd.h>
#include <string.h>

/* One equate: its letter, and the value with backslashes and quotes resolved. */
struct equate {
	char letter;
	struct pr_str value;
	bool has_value;
};

static char escaped(char c)
{
	static const char letters[] = "bfnr", bytes[] = "\b\f\n\r";
	const char *found = c == '\0' ? NULL : strchr(letters, c);

	return found == NULL ? c : bytes[found - letters];
}

/* The value at the front of *rest, up to a comma outside quotes. */
static struct pr_str take_value(struct cf *cf, struct pr_str *rest)
{
	char *out = pr_arena_alloc(&cf->arena, rest->len + 1);
	size_t length = 0, i;
	bool in_quotes = false;

	if (out == NULL)
		return PR_STR("");
	for (i = 0; i < rest->len; i++) {
		char c = rest->data[i];
		if (c == '\\' && i + 1 < rest->len)
			out[length++] = escaped(rest->data[++i]);
		else if (c == '"')
			in_quotes = !in_quotes;
		else if (c == ',' && !in_quotes)
			break;
		else
			out[length++] = c;
	}
	*rest = pr_str_slice(*rest, i, rest->len);
	out[length] = '\0';
	return (struct pr_str){ out, length };
}

static struct pr_str skip_separators(struct pr_str rest)
{
	while (rest.len > 0 && strchr(", \t\n", rest.data[0]) != NULL)
		rest = pr_str_slice(rest, 1, rest.len);
	return rest;
}

/* False at the end of the line. */
static bool take_equate(struct cf *cf, struct pr_str *rest, struct equate *out)
{
	size_t end = 0;

	if (rest->len == 0)
		return false;
	*rest = skip_separators(*rest);
	*out = (struct equate){ .letter = rest->len > 0 ? rest->data[0] : '\0', .value = PR_STR("") }; /* a comma at the end wants one more */
	while (end < rest->len && rest->data[end] != '=' && rest->data[end] != ',')
		end++;
	out->has_value = end < rest->len && rest->data[end] == '=';
	*rest = pr_str_slice(*rest, out->has_value ? end + 1 : end, rest->len);
	if (!out->has_value)
		return true;
	while (rest->len > 0 && strchr(" \t\n", rest->data[0]) != NULL)
		*rest = pr_str_slice(*rest, 1, rest->len);
	out->value = take_value(cf, rest);
	while (out->value.len > 0 && out->value.data[out->value.len - 1] == ' ') /* but not \r\n */
		out->value.len--;
	return true;
}

static struct pr_str take_label(struct cf *cf, struct pr_str *line)
{
	size_t end = 0;

	while (end < line->len && strchr(", \t\n", line->data[end]) == NULL)
		end++;
	struct pr_str name = pr_str_slice(*line, 0, end);
	*line = pr_str_slice(*line, end + 1, line->len); /* the byte behind it goes with it */
	return pr_arena_copy(&cf->arena, name);
}

/* M --------------------------------------------------------------------- */

static int64_t number_of(struct pr_str text)
{
	int64_t number = 0;

	for (size_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9' && number < INT32_MAX; i++)
		number = number * 10 + (text.data[i] - '0');
	return number;
}

/* "env/hdr", or one for both.  False: one of them is no name, and so there is no mailer. */
static bool read_sets(struct cf *cf, struct pr_str value, uint16_t *envelope, uint16_t *header)
{
	size_t slash = pr_str_find(value, '/');

	*envelope = slash > 0 ? cf_set_make(cf, pr_str_slice(value, 0, slash)) : cf_set_make(cf, value); /* a lone half is told as it stands */
	*header = *envelope != 0 && slash < value.len ? cf_set_make(cf, pr_str_slice(value, slash + 1, value.len)) : *envelope;
	return *envelope != 0 && *header != 0;
}

static const struct pr_str usual_types[] = { PR_STR_INIT("dns"), PR_STR_INIT("rfc822"), PR_STR_INIT("smtp") };

static void complete_types(struct cf_mailer *mailer)
{
	for (size_t i = 0; i < 3; i++)
		if (mailer->types[i].data == NULL)
			mailer->types[i] = usual_types[i];
}

/* "mta/address/diagnostic": the last is all that is left, and what is not said is as usual. */
static void read_types(struct cf_mailer *mailer, struct pr_str value)
{
	struct pr_str piece;

	for (size_t i = 0; i < 2 && value.len > 0 && pr_str_next(&value, '/', &piece); i++)
		mailer->types[i] = piece.len > 0 ? piece : PR_NONE;
	mailer->types[2] = value.len > 0 ? value : PR_NONE;
	complete_types(mailer);
}

static void set_flags(uint64_t flags[2], struct pr_str letters)
{
	for (size_t i = 0; i < letters.len; i++) {
		unsigned char c = (unsigned char)letters.data[i];
		if (c < 128 && c > ' ')
			flags[c >> 6] |= (uint64_t)1 << (c & 63);
	}
}

/* "user", "user:group": nobody when there is no such user. */
static struct pr_str known_user(struct cf *cf, struct pr_str value)
{
	struct pr_str user = pr_str_trim(pr_str_slice(value, 0, pr_str_find(value, ':')));
	uint64_t number;
	char *name = pr_copy_str(user);
	bool is_known = user.len == 0 || pr_str_number(user, UINT32_MAX, &number) || getpwnam(name) != NULL;

	pr_free(name);
	if (is_known)
		return value;
	cf_complain(cf, "readcf: mailer U= flag: unknown user %.*s", PR_PRINT(user));
	return PR_STR("");
}

static bool set_field(struct cf *cf, struct cf_mailer *mailer, const struct equate *equate)
{
	struct pr_str value = equate->value;

	switch (equate->letter) {
	case 'P': mailer->path = value; break;
	case 'F': set_flags(mailer->flags, value); break;
	case 'S': return read_sets(cf, value, &mailer->sender_envelope, &mailer->sender_header);
	case 'R': return read_sets(cf, value, &mailer->recipient_envelope, &mailer->recipient_header);
	case 'A': mailer->argv = value; break;
	case 'E': mailer->end_of_line = value; break;
	case 'M': mailer->max_size = number_of(value); break;
	case 'L': mailer->line_limit = number_of(value); break;
	case 'm': mailer->max_messages = number_of(value); break;
	case 'r': mailer->max_recipients = number_of(value); break;
	case 'D': mailer->directory = value; break;
	case 'U': mailer->user = known_user(cf, value); break;
	case 'N': mailer->nice = value; break;
	case 'C': mailer->charset = value; break;
	case 'T': read_types(mailer, value); break;
	case 'W': mailer->wait = number_of(value); break;
	case 'Q': mailer->group = value; break;
	case '/': mailer->root = value; break;
	default: break;
	}
	return true;
}

static bool is_ipc(struct pr_str path)
{
	return pr_str_equal_nocase(path, PR_STR("[IPC]"));
}

/* Does the program get recipients as arguments?  If not, it speaks SMTP. */
static bool has_user_argument(struct pr_str argv)
{
	for (size_t i = 0; i + 1 < argv.len; i++)
		if (argv.data[i] == '$' && argv.data[i + 1] == 'u')
			return true;
	return false;
}

/* What the line did not say. */
static void complete(struct cf_mailer *mailer)
{
	bool speaks_smtp = !has_user_argument(mailer->argv);

	if (mailer->end_of_line.data == NULL)
		mailer->end_of_line = speaks_smtp ? PR_STR("\r\n") : PR_STR("\n");
	if (cf_mailer_has(mailer, 'L') && mailer->line_limit == 0)
		mailer->line_limit = 990;
	if (mailer->max_recipients == 0)
		mailer->max_recipients = 100;
	if (is_ipc(mailer->path))
		complete_types(mailer);
}

static bool is_sound(struct cf *cf, const struct cf_mailer *mailer)
{
	struct pr_str argv = mailer->argv, word = PR_NONE;

	if (pr_str_equal_nocase(mailer->path, PR_STR("[TCP]"))) {
		cf_complain(cf, "M%.*s: P=%.*s must be replaced by P=[IPC]", PR_PRINT(mailer->name), PR_PRINT(mailer->path));
		return false;
	}
	if (argv.len == 0) {
		cf_complain(cf, "M%.*s: A= argument required", PR_PRINT(mailer->name));
		return false;
	}
	if (mailer->path.len == 0) {
		cf_complain(cf, "M%.*s: P= argument required", PR_PRINT(mailer->name));
		return false;
	}
	pr_str_next(&argv, ' ', &word);
	if (is_ipc(mailer->path) && argv.len > 0 && !pr_str_equal_nocase(word, PR_STR("TCP")) && !pr_str_equal_nocase(word, PR_STR("FILE")))
		cf_remark(cf, "M%.*s: Warning: first argument in [IPC] mailer must be TCP or FILE", PR_PRINT(mailer->name));
	if ((is_ipc(mailer->path) || pr_str_equal_nocase(mailer->path, PR_STR("[FILE]"))) && argv.len == 0) {
		cf_complain(cf, "M%.*s: too few parameters for %.*s mailer", PR_PRINT(mailer->name), PR_PRINT(mailer->path));
		return false;
	}
	return true;
}

/* Sendmail's own program for mailboxes, which works as root only: what it does is done without it. */
static bool is_mail_local(struct pr_str path)
{
	return pr_str_equal(path, PR_STR("mail.local")) || pr_str_has_suffix_nocase(path, PR_STR("/mail.local"));
}

/* A program that gets no recipients as arguments is spoken with, as is a host. */
static const char *module_of(const struct cf_mailer *mailer)
{
	if (is_mail_local(mailer->path))
		return "local";
	if (pr_str_equal_nocase(mailer->path, PR_STR("[FILE]")))
		return "file";
	return is_ipc(mailer->path) || !has_user_argument(mailer->argv) ? "smtp" : "prog";
}

static void declare_mailer(struct cf *cf, const struct cf_mailer *mailer, const struct equate *equates, size_t count)
{
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_MAILER, mailer->name);

	declared->module = pr_str(module_of(mailer));
	for (size_t i = 0; i < count; i++)
		cf_declare_setting(cf, declared, (char[]){ equates[i].letter, '\0' }, equates[i].value);
}

/* The place for a mailer of this name: its old one, or a new one. */
static struct cf_mailer *place_for(struct cf *cf, struct pr_str name)
{
	struct cf_mailer *mailer = cf_mailer_find(cf, name);

	if (mailer != NULL)
		return mailer;
	if (cf->mailer_count >= CF_MAILERS_MAX) {
		cf_complain(cf, "too many mailers defined (%u max)", CF_MAILERS_MAX);
		return NULL;
	}
	cf->mailers = pr_resize(cf->mailers, CF_MAILERS_MAX * sizeof *cf->mailers);
	return &cf->mailers[cf->mailer_count++];
}

#define EQUATES_MAX 32u

/* A program and a file take one recipient at a time, whatever their flags say. */
static struct pr_str flags_for(struct cf *cf, struct pr_str mailer, struct pr_str flags)
{
	struct pr_text kept;

	if (!pr_str_equal_nocase(mailer, PR_STR("prog")) && !pr_str_equal_nocase(mailer, PR_STR("*file*")))
		return flags;
	pr_text_init(&kept, flags.len + 1);
	for (size_t i = 0; i < flags.len; i++)
		if (flags.data[i] != 'm')
			pr_text_add_byte(&kept, flags.data[i]);
	flags = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return flags;
}

void cf_read_mailer(struct cf *cf, struct pr_str line)
{
	struct cf_mailer mailer = { .name = take_label(cf, &line), .line = cf->current_line };
	struct equate equates[EQUATES_MAX];
	size_t count = 0;

	if (mailer.name.len == 0) {
		cf_complain(cf, "name required for mailer");
		return;
	}
	while (count < EQUATES_MAX && take_equate(cf, &line, &equates[count])) {
		struct equate *equate = &equates[count];
		if (equate->letter == 'F')
			equate->value = flags_for(cf, mailer.name, equate->value);
		if (!equate->has_value) {
			cf_complain(cf, "mailer %.*s: `=' expected", PR_PRINT(mailer.name));
			return;
		}
		if (strchr("PFSRAEMLmrDUNCTWQ/", equate->letter) == NULL) {
			cf_complain(cf, "M%.*s: unknown mailer equate %c=", PR_PRINT(mailer.name), equate->letter);
			continue;
		}
		equates[count].value = cf_judge_mailer(cf, mailer.name, equate->letter, equate->value);
		if (equate->value.data == NULL)
			continue;
		if (!set_field(cf, &mailer, equate))
			return;
		count++;
	}
	if (!is_sound(cf, &mailer))
		return;
	complete(&mailer);
	struct cf_mailer *place = place_for(cf, mailer.name);
	if (place == NULL)
		return;
	*place = mailer;
	if (cf->current_file.data != NULL)
		declare_mailer(cf, &mailer, equates, count);
}

/* The last F= of a mailer is the one that counts. */
static void imply(struct cf *cf, struct pr_declared *declared, struct pr_str flags)
{
	struct pr_str said = PR_STR("");

	for (size_t i = 0; i < declared->count; i++)
		if (pr_str_equal(declared->settings[i].name, PR_STR("F")))
			said = declared->settings[i].value;
	cf_declare_setting(cf, declared, "F", pr_arena_printf(&cf->arena, "%.*s%.*s", PR_PRINT(said), PR_PRINT(flags)));
}

/* Before level 6 and 7 there were no flags for what the mailer local alone did. */
static void imply_for(struct cf *cf, struct pr_str name, struct pr_str flags)
{
	struct cf_mailer *mailer = cf_mailer_find(cf, name);

	if (mailer == NULL || flags.len == 0)
		return;
	set_flags(mailer->flags, flags);
	for (size_t i = 0; i < cf->declared_count; i++)
		if (cf->declared[i].kind == PR_DECLARED_MAILER && pr_str_equal_nocase(cf->declared[i].name, mailer->name))
			imply(cf, &cf->declared[i], flags);
}

void cf_imply_flags(struct cf *cf)
{
	imply_for(cf, PR_STR("local"), cf->level < 6 ? PR_STR("Aw5:|/@q") : cf->level < 7 ? PR_STR("q") : PR_STR(""));
	imply_for(cf, PR_STR("prog"), cf->level < 6 ? PR_STR("oq") : cf->level < 7 ? PR_STR("q") : PR_STR(""));
}

/* Q and X --------------------------------------------------------------- */

struct kind {
	uint32_t declared;
	char command;
	const char *what, *longer; /* longer: when the name is missing */
	const char *letters;
	struct pr_str (*judge)(struct cf *cf, struct pr_str name, char letter, struct pr_str value);
};

static void complain_equal(struct cf *cf, const struct kind *kind, struct pr_str name)
{
	if (kind->command == 'X')
		cf_complain(cf, "X%.*s: `=' expected", PR_PRINT(name));
	else
		cf_complain(cf, "%s %.*s: `=' expected", kind->what, PR_PRINT(name));
}

/* False: the line ends here, and nothing is declared. */
static bool read_equates(struct cf *cf, const struct kind *kind, struct pr_str line, struct pr_declared *declared)
{
	struct equate equate;

	while (take_equate(cf, &line, &equate)) {
		if (!equate.has_value) {
			complain_equal(cf, kind, declared->name);
			return false;
		}
		if (strchr(kind->letters, equate.letter) == NULL) {
			cf_complain(cf, "%c%.*s: unknown %s equate %c=", kind->command, PR_PRINT(declared->name), kind->what, equate.letter);
			continue;
		}
		struct pr_str value = kind->judge(cf, declared->name, equate.letter, equate.value);
		if (value.data != NULL)
			cf_declare_setting(cf, declared, (char[]){ equate.letter, '\0' }, value);
		else if (kind->command == 'X' && equate.letter == 'S')
			return false;
	}
	return true;
}

/* NULL: there is none. */
static struct pr_declared *read_declaration(struct cf *cf, const struct kind *kind, struct pr_str line)
{
	struct pr_str name = take_label(cf, &line);

	if (name.len == 0) {
		cf_complain(cf, "name required for %s", kind->longer);
		return NULL;
	}
	struct pr_declared *declared = cf_declare(cf, kind->declared, name);
	if (read_equates(cf, kind, line, declared))
		return declared;
	cf->declared_count--;
	return NULL;
}

static bool has_setting(const struct pr_declared *declared, char letter)
{
	for (size_t i = 0; i < declared->count; i++)
		if (declared->settings[i].name.data[0] == letter && declared->settings[i].value.len > 0)
			return true;
	return false;
}

void cf_read_group(struct cf *cf, struct pr_str line)
{
	static const struct kind kind = { PR_DECLARED_QUEUE_GROUP, 'Q', "queue", "queue", "PFINRJr", cf_judge_group };
	const struct pr_declared *declared = read_declaration(cf, &kind, line);

	if (declared != NULL && !cf_judge_group_place(cf, has_setting(declared, 'P')))
		cf->declared_count--;
}

static bool is_filter(const struct cf *cf, struct pr_str name)
{
	for (size_t i = 0; i + 1 < cf->declared_count; i++)
		if (cf->declared[i].kind == PR_DECLARED_FILTER && pr_str_equal_nocase(cf->declared[i].name, name))
			return true;
	return false;
}

void cf_read_filter(struct cf *cf, struct pr_str line)
{
	static const struct kind kind = { PR_DECLARED_FILTER, 'X', "filter", "mail filter", "SFT", cf_judge_filter };
	struct pr_declared *declared = read_declaration(cf, &kind, line);

	if (declared == NULL)
		return;
	declared->module = PR_STR("milter");
	if (has_setting(declared, 'S') && !is_filter(cf, declared->name))
		return;
	if (!has_setting(declared, 'S'))
		cf_complain(cf, "X%.*s: empty or missing socket information", PR_PRINT(declared->name));
	else
		cf_complain_system(cf, ENOENT, "X%.*s: duplicate filter definition", PR_PRINT(declared->name));
	cf->declared_count--;
}
