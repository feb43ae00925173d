/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of sendmail.cf to the functions that know them.  Here: joining continuation lines, taking comments off, and the table of
 * commands with the small ones among them (D C V T P E S).
 */
#include "judge.h"

#include <postrider/file.h>
#include <postrider/mapflags.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

void cf_fail(struct cf *cf, uint32_t status)
{
	cf->errors++;
	if (cf->status == 0)
		cf->status = status;
}

__attribute__((format(printf, 2, 0))) static void say(struct cf *cf, const char *format, va_list arguments)
{
	if (cf->current_file.data != NULL)
		pr_text_addf(&cf->messages, "%.*s: line %u: ", PR_PRINT(cf->current_file), cf->current_line);
	pr_text_addv(&cf->messages, format, arguments);
}

void cf_complain(struct cf *cf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(cf, format, arguments);
	va_end(arguments);
	pr_text_add_byte(&cf->messages, '\n');
	cf_fail(cf, CF_SOFTWARE);
}

void cf_complain_system(struct cf *cf, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(cf, format, arguments);
	va_end(arguments);
	pr_text_addf(&cf->messages, ": %s\n", strerror(error));
	cf_fail(cf, CF_OSERR);
}

void cf_note(struct cf *cf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(cf, format, arguments);
	va_end(arguments);
	pr_text_add_byte(&cf->messages, '\n');
}

void cf_complain_names(struct cf *cf)
{
	struct pr_str rest = pr_text_str(&cf->names.problems), line;

	while (rest.len > 0 && pr_str_next(&rest, '\n', &line))
		cf_complain(cf, "%.*s", PR_PRINT(line));
	pr_text_clear(&cf->names.problems);
}

/* A remark: nothing that must be mended. */
void cf_remark(struct cf *cf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pr_text_addv(&cf->messages, format, arguments);
	va_end(arguments);
	pr_text_add_byte(&cf->messages, '\n');
}

struct pr_declared *cf_declare(struct cf *cf, uint32_t kind, struct pr_str name)
{
	if (cf->declared_count == cf->declared_room) {
		cf->declared_room = cf->declared_room == 0 ? 64 : cf->declared_room * 2;
		cf->declared = pr_resize(cf->declared, cf->declared_room * sizeof *cf->declared);
	}
	struct pr_declared *declared = &cf->declared[cf->declared_count++];
	*declared = (struct pr_declared){ .size = sizeof *declared, .kind = kind, .line = cf->current_line, .file = cf->current_file,
		.name = pr_arena_copy(&cf->arena, name) };
	return declared;
}

void cf_declare_setting(struct cf *cf, struct pr_declared *declared, const char *name, struct pr_str value)
{
	struct pr_declared_setting *settings = pr_arena_alloc(&cf->arena, (declared->count + 1) * sizeof *settings);

	if (settings == NULL)
		return;
	if (declared->count > 0)
		memcpy(settings, declared->settings, declared->count * sizeof *settings);
	settings[declared->count] = (struct pr_declared_setting){ pr_arena_copy(&cf->arena, pr_str(name)), pr_arena_copy(&cf->arena, value) };
	declared->settings = settings;
	declared->count++;
}

/* small commands -------------------------------------------------------- */

/* The name of a macro or class at the front of *line. */
static uint16_t take_name(struct cf *cf, struct pr_str *line)
{
	uint16_t number = cf_names_read(&cf->names, line);

	cf_complain_names(cf);
	return number;
}

/* The value of a D line: quotes vanish, a backslash stands before a byte that is meant as it is, or in \n \r \f \b. */
static struct pr_str value_of(struct cf *cf, struct pr_str text)
{
	static const char letters[] = "nrfb", bytes[] = "\n\r\f\b";
	char *out = pr_arena_alloc(&cf->arena, text.len + 1);
	size_t length = 0;

	if (out == NULL)
		return text;
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte == '"')
			continue;
		if (byte == '\\' && i + 1 == text.len)
			break;
		if (byte == '\\') {
			byte = text.data[++i];
			const char *found = strchr(letters, byte);
			byte = byte != '\0' && found != NULL ? bytes[found - letters] : byte;
		}
		out[length++] = byte;
	}
	return (struct pr_str){ out, length };
}

void cf_read_macro(struct cf *cf, struct pr_str line)
{
	uint16_t number = take_name(cf, &line);

	if (number == CF_NAME_NONE)
		return;
	struct cf_macro *macro = cf_macro_get(cf, number);
	macro->value.count = 0;
	macro->is_set = true;
	if (!cf_code_parse(&macro->value, &cf->names, value_of(cf, line)))
		cf_complain_names(cf);
	if (number == 'o' && cf->level < 7 && !cf->has_operators)
		cf_alphabet_init(&cf->alphabet, cf_expand_text(cf, PR_STR("$o")), cf->alphabet.blank);
}

/* Adds the words of expanded text; `$=y` adds all of class y. */
static void add_words(struct cf *cf, uint16_t number, const struct cf_code *code)
{
	struct pr_text word;

	pr_text_init(&word, CF_CODE_MAX);
	for (uint32_t i = 0; i <= code->count; i++) {
		uint16_t unit = i < code->count ? code->units[i] : ' ';
		if (unit == CF_CLASS && i + 1 < code->count) {
			uint16_t other = code->units[++i];
			for (size_t j = 0; other != number && j < cf_class_find(cf, other)->count; j++)
				cf_phrases_add(cf_class_get(cf, number), cf_class_find(cf, other)->items[j]);
		} else if (unit == ' ' || unit == '\t' || unit == '\n') {
			cf_phrases_add(cf_class_get(cf, number), pr_text_str(&word));
			pr_text_clear(&word);
		} else if (unit < CF_ANY) {
			pr_text_add_byte(&word, (char)unit);
		}
	}
	pr_text_fini(&word);
}

static void read_class(struct cf *cf, struct pr_str line)
{
	struct cf_code raw = {0}, expanded = {0};
	uint16_t number = take_name(cf, &line);

	if (number == CF_NAME_NONE)
		return;
	if (!cf_code_parse(&raw, &cf->names, line))
		cf_complain_names(cf);
	cf_expand_now(cf, &raw, &expanded);
	cf_class_get(cf, number);
	add_words(cf, number, &expanded);
	cf_code_fini(&raw);
	cf_code_fini(&expanded);
}

/* $w is this host's name, and from level 5 on only what stands in front of its first dot. */
static void shorten_name(struct cf *cf)
{
	struct pr_str name = cf_expand_text(cf, PR_STR("$w"));

	cf_macro_set_text(cf, "w", pr_arena_copy(&cf->arena, pr_str_slice(name, 0, pr_str_find(name, '.'))));
}

/* `V10/Berkeley` */
static void read_level(struct cf *cf, struct pr_str line)
{
	uint64_t level = 0;
	struct pr_str rest = pr_str_trim(line), vendor;
	size_t end = 0;

	while (end < rest.len && rest.data[end] >= '0' && rest.data[end] <= '9')
		end++;
	bool has_vendor = end < rest.len && rest.data[end] == '/';
	vendor = pr_str_slice(rest, end + 1, rest.len);
	if (!pr_str_number(pr_str_slice(rest, 0, end), INT16_MAX, &level))
		cf_complain(cf, "invalid argument to V line: \"%.*s\"", PR_PRINT(cf_shown(cf, line)));
	else
		cf->level = (int)level; /* what is no number changes nothing */
	if (has_vendor && !pr_str_equal_nocase(vendor, PR_STR("Berkeley")))
		cf_complain(cf, "invalid V line vendor code: \"%.*s\"", PR_PRINT(vendor));
	cf->colon_ok = cf->level < 6;
	if (cf->level >= 5)
		shorten_name(cf);
}

/* The name may come from a macro. */
static void read_set(struct cf *cf, struct pr_str line)
{
	cf_read_set(cf, cf_expand_text(cf, line));
}

static void read_trusted(struct cf *cf, struct pr_str line)
{
	struct pr_str word;

	while (pr_map_word(&line, &word)) {
		cf_phrases_add(cf_class_get(cf, 't'), word);
		cf_declare(cf, PR_DECLARED_TRUSTED, word);
	}
}

static void read_precedence(struct cf *cf, struct pr_str line)
{
	size_t equal = pr_str_find(line, '=');

	if (equal == line.len) {
		cf_complain(cf, "unknown configuration line \"P%.*s\"", PR_PRINT(line));
		return;
	}
	if (cf->precedence_count++ >= CF_PRECEDENCES_MAX) {
		cf_complain(cf, "too many P lines, %u max", CF_PRECEDENCES_MAX);
		return;
	}
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_PRECEDENCE, pr_str_trim(pr_str_slice(line, 0, equal)));
	cf_declare_setting(cf, declared, "value", pr_str_trim(pr_str_slice(line, equal + 1, line.len)));
}

static void read_environment(struct cf *cf, struct pr_str line)
{
	size_t equal = pr_str_find(line, '=');
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_ENVIRONMENT, pr_str_slice(line, 0, equal));

	if (equal < line.len)
		cf_declare_setting(cf, declared, "value", pr_str_slice(line, equal + 1, line.len));
}

struct pr_str cf_shown(struct cf *cf, struct pr_str line)
{
	struct pr_str copy = pr_arena_copy(&cf->arena, line);
	char *bytes = (char *)(uintptr_t)copy.data;

	for (size_t i = 0; bytes != NULL && i < copy.len; i++)
		bytes[i] = bytes[i] == '$' && i + 1 < copy.len ? '\001' : bytes[i];
	return bytes != NULL ? copy : PR_STR("");
}

static void unknown(struct cf *cf, struct pr_str line)
{
	cf_complain(cf, "unknown configuration line \"%.*s\"", PR_PRINT(cf_shown(cf, line)));
}

static const struct {
	char letter;
	void (*read)(struct cf *cf, struct pr_str line);
} commands[] = {
	{ 'C', read_class }, { 'D', cf_read_macro }, { 'E', read_environment }, { 'F', cf_read_class_file }, { 'H', cf_read_header },
	{ 'K', cf_read_map }, { 'M', cf_read_mailer }, { 'O', cf_read_option }, { 'P', read_precedence }, { 'Q', cf_read_group },
	{ 'R', cf_read_rule }, { 'S', read_set }, { 'T', read_trusted }, { 'V', read_level }, { 'X', cf_read_filter },
};

static void dispatch(struct cf *cf, struct pr_str line)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (commands[i].letter == line.data[0]) {
			commands[i].read(cf, pr_str_slice(line, 1, line.len));
			return;
		}
	}
	unknown(cf, line);
}

/* lines ----------------------------------------------------------------- */

/* A # that is neither `$#` nor `\#` begins a comment, from level 3 on; blanks in front of it go too. */
static void strip_comments(const struct cf *cf, struct pr_text *line)
{
	size_t kept = 0;
	bool in_comment = false;

	for (size_t i = 0; i < line->len; i++) {
		char c = line->data[i];
		in_comment = in_comment && c != '\n';
		if (in_comment)
			continue;
		if (c == '#' && i > 0 && cf->level >= 3) {
			char before = line->data[i - 1];
			if (before == '\\') {
				line->data[kept - 1] = c;
				continue;
			}
			if (before != '$') {
				in_comment = true;
				while (kept > 0 && strchr(" \t", line->data[kept - 1]) != NULL)
					kept--;
				continue;
			}
		}
		line->data[kept++] = c;
	}
	while (kept > 1 && strchr(" \t\r\n", line->data[kept - 1]) != NULL)
		kept--;
	pr_text_cut(line, kept);
}

static void take_line(struct cf *cf, struct pr_text *line)
{
	if (line->len == 0 || line->data[0] == '#')
		return;
	strip_comments(cf, line);
	if (line->len > 0)
		dispatch(cf, pr_text_str(line));
}

static void read_text(struct cf *cf, struct pr_str rest)
{
	struct pr_text line;
	struct pr_str piece;

	pr_text_init(&line, CF_CODE_MAX);
	while (rest.len > 0 && cf->fatal == 0) {
		bool more = pr_str_next(&rest, '\n', &piece);
		if (!more)
			break;
		bool is_ended = rest.len > 0 || piece.data[piece.len] == '\n';
		if (piece.len > 0 && piece.data[piece.len - 1] == '\r')
			piece.len--;
		bool continues = rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t');
		cf->current_line += is_ended ? 1 : 0; /* sendmail does not count a line that the end of the file ends */
		if (!pr_text_add_str(&line, piece)) {
			cf_complain(cf, "line too long");
			pr_text_clear(&line);
		}
		if (continues) {
			pr_text_add_byte(&line, '\n');
			continue;
		}
		take_line(cf, &line);
		pr_text_clear(&line);
	}
	pr_text_fini(&line);
}

/* What must be there, told when all is read. */
static void check_whole(struct cf *cf)
{
	if (cf->level > CF_LEVEL_MAX)
		cf_complain(cf, "Warning: .cf version level (%d) exceeds sendmail version 8.17.1.9 functionality (%d)", cf->level, CF_LEVEL_MAX);
	else if (cf->level < CF_LEVEL_MAX)
		cf_remark(cf, "Warning: .cf file is out of date: sendmail 8.17.1.9 supports version %d, .cf file is version %d", CF_LEVEL_MAX, cf->level);
	if (cf_mailer_find(cf, PR_STR("local")) == NULL) {
		cf_remark(cf, "No local mailer defined");
		cf_fail(cf, CF_SOFTWARE);
	}
}

/* `Djmail.example.org`: this host is called so in the greeting, in EHLO and in Received too. */
static void declare_own_name(struct cf *cf)
{
	struct pr_str name = pr_str_trim(cf_expand_text(cf, PR_STR("$j")));

	cf_phrases_add(cf_class_get(cf, 'w'), name); /* whatever the file made of it */
	if (name.len == 0 || pr_str_equal_nocase(name, cf->own_name))
		return;
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_OPTION, PR_STR("HostName"));
	declared->file = cf->file;
	cf_declare_setting(cf, declared, "value", name);
}

/* The classes by which sendmail decides what is encoded, where the file has changed them. */
static void declare_mime_classes(struct cf *cf)
{
	static const struct {
		char class;
		const char *option, *usual;
	} rows[] = { { 'e', "MimeEncodable", "7bit,8bit,binary" }, { 'n', "MimeNeverEncoded", "multipart/signed" }, { 'q', "MimeQuotedPrintable", "" },
		{ 's', "MimeMessages", "rfc822" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct cf_phrases *class = cf_class_find(cf, (uint16_t)rows[i].class);
		struct pr_text text;
		pr_text_init(&text, 1u << 16);
		for (size_t j = 0; class != NULL && j < class->count; j++)
			pr_text_addf(&text, "%s%.*s", j > 0 ? "," : "", PR_PRINT(class->items[j]));
		if (text.len > 0 && !pr_str_equal(pr_text_str(&text), pr_str(rows[i].usual))) {
			struct pr_declared *declared = cf_declare(cf, PR_DECLARED_OPTION, pr_str(rows[i].option));
			declared->file = cf->file;
			cf_declare_setting(cf, declared, "value", pr_text_str(&text));
		}
		pr_text_fini(&text);
	}
}

/* $[ $] asks the map `host`, which is there without being declared. */
static void declare_host(struct cf *cf)
{
	for (size_t i = 0; i < cf->declared_count; i++)
		if (cf->declared[i].kind == PR_DECLARED_MAP && pr_str_equal_nocase(cf->declared[i].name, PR_STR("host")))
			return;
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_MAP, PR_STR("host"));
	declared->file = cf->file;
	declared->module = PR_STR("host");
	if (cf->level >= 2)
		cf_declare_setting(cf, declared, "arguments", PR_STR("-a."));
}

bool cf_read(struct cf *cf, struct pr_call *call)
{
	struct pr_text bytes, why;

	pr_text_init(&bytes, FILE_MAX);
	pr_text_init(&why, 1000);
	cf->call = call;
	cf->is_read = true;
	cf->next_named = CF_SETS_MAX;
	cf->colon_ok = true;
	snprintf(cf->must_quote, sizeof cf->must_quote, "@,;:\\()[].'");
	cf_defaults(cf);
	enum pr_status status = pr_file_read(cf->file.data, FILE_MAX, &bytes, &why);
	if (status == PR_OK) {
		cf->current_file = cf->file;
		read_text(cf, pr_text_str(&bytes));
		cf->current_file = PR_NONE;
		check_whole(cf);
		cf_judge_whole(cf);
		cf_imply_flags(cf);
		declare_host(cf);
		declare_own_name(cf);
		declare_mime_classes(cf);
		cf_link(cf);
		cf->type_macro = cf_names_find(&cf->names, PR_STR("addr_type"));
		cf->altnames_class = cf->has_altnames ? cf_names_find(&cf->names, PR_STR("cert_altnames")) : CF_NAME_NONE;
	} else {
		cf_remark(cf, "%.*s", PR_PRINT(pr_text_str(&why)));
		cf_fail(cf, CF_OSERR);
	}
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	cf->call = NULL;
	return cf->errors == 0;
}
