/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A row per letter: does it take a value, and what happens to it; getopt(3) walks argv and the row does the rest.
 * A table because sendmail has forty letters and most of them only set one field.
 */
#include "kernel/command/sendmail/arguments.h"

#include <limits.h>
#include <postrider/address.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum letter_value { VALUE_NONE, VALUE_NEEDED, VALUE_ATTACHED };

struct letter {
	char name;
	enum letter_value value;
	size_t field; /* a const char * or bool of struct arguments, when there is no function */
	int (*take)(struct arguments *arguments, const char *value, struct pr_text *error);
};

static int take_mode(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (value[0] == 'z') {
		pr_text_add_c(error, "Frozen configurations unsupported");
		return EX_USAGE;
	}
	if (value[0] == '\0' || strchr("amsdDtvipPhHCOq", value[0]) == NULL) {
		pr_text_add_c(error, "Invalid operation mode ");
		pr_text_add_escaped(error, pr_str(value), 1);
		return EX_USAGE;
	}
	arguments->mode = value[0];
	arguments->mode_given = true;
	return EX_OK;
}

static int take_sender(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (arguments->sender != NULL) {
		pr_text_add_c(error, "More than one \"from\" person");
		return EX_USAGE;
	}
	arguments->sender = value;
	return EX_OK;
}

static int take_body(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (pr_str_equal_nocase(pr_str(value), PR_STR("7BIT")))
		arguments->body = "7BIT";
	else if (pr_str_equal_nocase(pr_str(value), PR_STR("8BITMIME")))
		arguments->body = "8BITMIME";
	else {
		pr_text_add_c(error, "Illegal body type ");
		pr_text_add_escaped(error, pr_str(value), 100);
		return EX_USAGE;
	}
	return EX_OK;
}

static int take_macro(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (arguments->macro_count == ARGUMENTS_MACROS) {
		pr_text_addf(error, "Too many -M (%d max)", ARGUMENTS_MACROS);
		return EX_USAGE;
	}
	arguments->macros[arguments->macro_count++] = value;
	return EX_OK;
}

static int take_hops(struct arguments *arguments, const char *value, struct pr_text *error)
{
	uint64_t number;

	if (!pr_str_number(pr_str(value), 10000, &number)) {
		pr_text_add_c(error, "Bad hop count (");
		pr_text_add_escaped(error, pr_str(value), 100);
		pr_text_add_c(error, ")");
		return EX_USAGE;
	}
	arguments->hops = value;
	return EX_OK;
}

static int take_notify(struct arguments *arguments, const char *value, struct pr_text *error)
{
	static const char *const words[] = {"success", "failure", "delay"};
	struct pr_str rest = pr_str(value), word;
	bool good = !pr_str_equal_nocase(rest, PR_STR("never"));

	arguments->notify = value; /* the last one counts */
	if (!good)
		return EX_OK;
	while (pr_str_next(&rest, ',', &word)) {
		bool known = false;
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
			known = known || pr_str_equal_nocase(word, pr_str(words[i]));
		good = good && known;
	}
	if (good && value[0] != '\0')
		return EX_OK;
	pr_text_add_c(error, "Invalid -N argument");
	return EX_USAGE;
}

static int take_ret(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (arguments->ret != NULL)
		pr_text_add_c(error, "Duplicate -R flag");
	else if (pr_str_equal_nocase(pr_str(value), PR_STR("hdrs")))
		arguments->ret = "HDRS";
	else if (pr_str_equal_nocase(pr_str(value), PR_STR("full")))
		arguments->ret = "FULL";
	else
		pr_text_add_c(error, "Invalid -R value");
	return error->len == 0 ? EX_OK : EX_USAGE;
}

static int take_envelope_id(struct arguments *arguments, const char *value, struct pr_text *error)
{
	struct pr_arena arena;
	struct pr_str decoded;

	pr_arena_init(&arena, 8192);
	bool good = strlen(value) <= 100 && pr_xtext_decode(pr_str(value), &arena, &decoded);
	pr_arena_fini(&arena);
	if (arguments->envelope_id != NULL)
		pr_text_add_c(error, "Duplicate -V flag");
	else if (!good || value[0] == '\0')
		pr_text_add_c(error, "Invalid syntax in -V flag");
	arguments->envelope_id = value;
	return error->len == 0 ? EX_OK : EX_USAGE;
}

static int take_error_mode(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)error;
	arguments->error_mode = value[0];
	return EX_OK;
}

static int take_queue(struct arguments *arguments, const char *value, struct pr_text *error)
{
	if (arguments->queue_count == ARGUMENTS_QUEUES) {
		pr_text_addf(error, "Too many -q (%d max)", ARGUMENTS_QUEUES);
		return EX_USAGE;
	}
	arguments->queue_given = true;
	arguments->queue = arguments->queues[arguments->queue_count++] = value;
	return EX_OK;
}

static int take_quarantine(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)error;
	arguments->quarantine = value;
	return EX_OK;
}

static int take_debug(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)error;
	arguments->debug_given = true;
	arguments->debug = value;
	return EX_OK;
}

static int take_debug_file(struct arguments *arguments, const char *value, struct pr_text *error)
{
	arguments->debug_file = value;
	if (!arguments->debug_given)
		return EX_OK;
	pr_text_add_c(error, "-D file must be before -d");
	return EX_USAGE;
}

static int take_newaliases(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)value;
	(void)error;
	arguments->mode = 'i';
	return EX_OK;
}

static int take_nothing(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)arguments;
	(void)value;
	(void)error;
	return EX_OK;
}

#define FIELD(name) offsetof(struct arguments, name), NULL

/* A relative name means the directory we are started in, wherever we go later; it is copied once and lives as long as we do. */
static int take_config(struct arguments *arguments, const char *value, struct pr_text *error)
{
	static char room[2 * PATH_MAX];
	char here[PATH_MAX];

	arguments->config = value;
	if (value[0] == '/' || access(value, F_OK) != 0) /* one that is not there is told as it was given */
		return EX_OK;
	if (getcwd(here, sizeof here) == NULL || snprintf(room, sizeof room, "%s/%s", strcmp(here, "/") == 0 ? "" : here, value) >= (int)sizeof room) {
		pr_text_addf(error, "-C %s: cannot tell the working directory; give an absolute name", value);
		return EX_OSERR;
	}
	arguments->config = room;
	return EX_OK;
}

static int take_side(struct arguments *arguments, const char *value, struct pr_text *error)
{
	(void)error;
	arguments->submission = value[0] == 'c';
	return EX_OK;
}

static const struct letter letters[] = {
    {'A', VALUE_NEEDED, 0, take_side}, /* one configuration serves both; only mailq tells them apart */
    {'B', VALUE_NEEDED, 0, take_body},
    {'b', VALUE_NEEDED, 0, take_mode},
    {'C', VALUE_NEEDED, 0, take_config},
    {'c', VALUE_NONE, 0, take_nothing},
    {'D', VALUE_NEEDED, 0, take_debug_file},
    {'d', VALUE_ATTACHED, 0, take_debug},
    {'E', VALUE_NONE, 0, take_nothing},
    {'e', VALUE_NEEDED, 0, take_error_mode},
    {'F', VALUE_NEEDED, FIELD(full_name)},
    {'f', VALUE_NEEDED, 0, take_sender},
    {'G', VALUE_NONE, FIELD(gateway)},
    {'h', VALUE_NEEDED, 0, take_hops},
    {'I', VALUE_NONE, 0, take_newaliases},
    {'i', VALUE_NONE, FIELD(ignore_dots)},
    {'J', VALUE_NONE, 0, take_nothing},
    {'L', VALUE_NEEDED, FIELD(tag)},
    {'M', VALUE_NEEDED, 0, take_macro},
    {'m', VALUE_NONE, 0, take_nothing},
    {'N', VALUE_NEEDED, 0, take_notify},
    {'n', VALUE_NONE, 0, take_nothing},
    {'O', VALUE_NEEDED, 0, arguments_long_option},
    {'o', VALUE_NEEDED, 0, arguments_short_option},
    {'p', VALUE_NEEDED, FIELD(protocol)},
    {'Q', VALUE_ATTACHED, 0, take_quarantine},
    {'q', VALUE_ATTACHED, 0, take_queue},
    {'R', VALUE_NEEDED, 0, take_ret},
    {'r', VALUE_NEEDED, 0, take_sender},
    {'s', VALUE_NONE, 0, take_nothing},
    {'T', VALUE_NONE, 0, take_nothing},
    {'t', VALUE_NONE, FIELD(from_header)},
    {'U', VALUE_NONE, 0, take_nothing},
    {'V', VALUE_NEEDED, 0, take_envelope_id},
    {'v', VALUE_NONE, FIELD(verbose)},
    {'X', VALUE_NEEDED, FIELD(trace)},
    {'x', VALUE_NONE, 0, take_nothing},
};

#define LETTERS (sizeof letters / sizeof letters[0])

static const struct name_mode {
	const char *name;
	char mode;
} name_modes[] = {
    {"mailq", 'p'},
    {"newaliases", 'i'},
    {"smtpd", 'd'},
    {"hoststat", 'h'},
    {"purgestat", 'H'},
    {"runq", 'q'},
};

char arguments_name_mode(const char *program)
{
	for (size_t i = 0; i < sizeof name_modes / sizeof name_modes[0]; i++)
		if (strcmp(program, name_modes[i].name) == 0)
			return name_modes[i].mode;
	return 0;
}

static void option_string(char *out) /* room for 2 + 3 * LETTERS */
{
	*out++ = '+';
	*out++ = ':'; /* a missing value is told apart */
	for (size_t i = 0; i < LETTERS; i++) {
		*out++ = letters[i].name;
		for (int colons = letters[i].value; colons > 0; colons--)
			*out++ = ':';
	}
	*out = '\0';
}

static int apply(struct arguments *arguments, const struct letter *letter, const char *value, struct pr_text *error)
{
	if (letter->take != NULL)
		return letter->take(arguments, value == NULL ? "" : value, error);
	char *field = (char *)arguments + letter->field;
	if (letter->value == VALUE_NEEDED)
		memcpy(field, &value, sizeof value);
	else
		*(bool *)field = true;
	return EX_OK;
}

static int take_option(struct arguments *arguments, int found, struct pr_text *error)
{
	if (found == '?' || found == ':') {
		pr_text_addf(error, found == '?' ? "%s: illegal option -- " : "%s: option requires an argument -- ",
		    arguments->program);
		pr_text_add_escaped(error, (struct pr_str){(const char[]){(char)optopt}, 1}, 1);
		return EX_USAGE;
	}
	for (size_t i = 0; i < LETTERS; i++)
		if (letters[i].name == found)
			return apply(arguments, &letters[i], optarg, error);
	return EX_USAGE;
}

/* Whoever speaks SMTP is answered in it. */
static const char *code_of(char mode)
{
	return mode == 'd' || mode == 's' ? "550 " : "";
}

/* -q belongs to a daemon, to a listing, or stands alone: then it is a mode of its own. */
static int settle_queue(struct arguments *arguments, struct pr_text *error)
{
	if (arguments->quarantine != NULL && arguments->mode_given && strchr("dDp", arguments->mode) != NULL) {
		pr_text_addf(error, "%sCan not use -Q with -b%c", code_of(arguments->mode), arguments->mode);
		return EX_USAGE;
	}
	if (arguments->quarantine != NULL && arguments->mode == 'm' && !arguments->mode_given)
		arguments->mode = 'q';
	if (!arguments->queue_given)
		return EX_OK;
	if (!arguments->mode_given && arguments->mode == 'm') {
		arguments->mode = 'q';
		return EX_OK;
	}
	if (strchr("dDpqm", arguments->mode) != NULL) {
		arguments->mode = arguments->mode == 'm' ? 'q' : arguments->mode;
		return EX_OK;
	}
	pr_text_addf(error, "%sCan not use -q with -b%c", code_of(arguments->mode), arguments->mode);
	return EX_USAGE;
}

int arguments_parse(int argc, char **argv, struct arguments *arguments, struct pr_text *error)
{
	char options[2 + 3 * LETTERS + 1];
	const char *name = argc > 0 && argv[0] != NULL ? argv[0] : "sendmail";
	const char *slash = strrchr(name, '/');
	int status = EX_OK, found;

	*arguments = (struct arguments){.mode = 'm', .error_mode = 'p', .program = slash != NULL ? slash + 1 : name};
	char named = arguments_name_mode(arguments->program);
	if (named != 0)
		arguments->mode = named;
	if (argc < 1)
		return EX_OK;
	if (argc > 1 && strcmp(argv[1], "--single") == 0) {
		arguments->single = true;
		argc--;
		argv++;
	}
	option_string(options);
	opterr = 0;
	optind = 1;
	while (status == EX_OK && (found = getopt(argc, argv, options)) != -1)
		status = take_option(arguments, found, error);
	if (status != EX_OK)
		return status;
	arguments->addresses = argv + optind;
	arguments->address_count = (size_t)(argc - optind);
	return settle_queue(arguments, error);
}
