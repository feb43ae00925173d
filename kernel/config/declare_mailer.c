/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An M line as keys of postrider.conf:
 *
 *   Mesmtp, P=[IPC], F=mDFMuXa, r=100, A=TCP $h 2525     esmtp = { module = "smtp"; flags = "mDFMuXa"; recipients = 100; port = 2525; };
 *   Mlocal, P=/usr/bin/procmail, F=lsDFMAw5, A=procmail -a $h -d $u
 *                                                         local = { module = "prog"; flags = ...; path = ...; argv = ...; owner = true; };
 *
 * Two tables: equates, and what F= letters say to the module.
 */
#include "kernel/config/build.h"
#include "kernel/config/mailer_flags.h"

#include <string.h>

static const char by_rules[] = ""; /* read by the rule engine itself */

static const struct equate {
	const char *letter;
	const char *module; /* only there; NULL: any */
	const char *key;    /* NULL: none */
	const char *why;    /* that it does nothing; by_rules: nothing to be said */
} equates[] = {
    {"F", NULL, "flags", NULL},
    {"M", NULL, "size_limit", NULL},
    {"r", NULL, "recipients", NULL},
    {"m", NULL, "messages", NULL},
    {"Q", NULL, "queue_group", NULL},
    {"L", NULL, "line_limit", NULL},
    {"S", NULL, NULL, by_rules},
    {"R", NULL, NULL, by_rules},
    {"P", "prog", "path", NULL},
    {"P", NULL, NULL, by_rules},
    {"A", "prog", "argv", NULL},
    {"A", NULL, NULL, by_rules},
    {"D", "prog", "directory", NULL},
    {"U", "prog", "user", NULL},
    {"W", "prog", "timeout", NULL},
    {"E", NULL, NULL, by_rules},
    {"C", NULL, NULL, "bodies pass as they are: 8 bits are kept"},
    {"T", NULL, NULL, "notices name their types by RFC 3464"},
    {"N", NULL, NULL, "programs run with the priority of the daemon"},
    {"/", NULL, NULL, "a program runs as its user, in his home directory"},
    {"D", NULL, NULL, "only a program has a working directory"},
    {"U", NULL, NULL, "only a program runs as somebody"},
    {"W", NULL, NULL, "the Timeout options say how long"},
};

static const struct equate *find_equate(struct pr_str letter, struct pr_str module)
{
	for (size_t i = 0; i < sizeof equates / sizeof equates[0]; i++)
		if (pr_str_equal(letter, pr_str(equates[i].letter)) && (equates[i].module == NULL || pr_str_equal(module, pr_str(equates[i].module))))
			return &equates[i];
	return NULL;
}

static void notice(struct config_builder *builder, const struct config_node *group, const char *what, size_t length, const char *why)
{
	pr_text_addf(&builder->config->notices, "%s:%u: mailer %.*s, %.*s: accepted, no effect here: %s\n", group->file, group->line,
	    PR_PRINT(group->name), (int)length, what, why);
}

static bool has_key(const struct config_node *group, const char *key)
{
	return config_node_find(group, key) != NULL;
}

static void add_flags(struct config_builder *builder, struct pr_str module, struct pr_str flags, struct config_node *group)
{
	for (size_t i = 0; i < flags.len; i++) {
		const struct mailer_flag *flag = mailer_flag_find(flags.data[i], module);
		char label[4] = {'F', '=', flags.data[i], '\0'};
		if (flag != NULL && flag->key != NULL && !has_key(group, flag->key))
			config_add_value(builder, group, flag->key, pr_str(flag->value));
		else if (flag != NULL && flag->why != NULL)
			notice(builder, group, label, 3, flag->why);
	}
}

static bool next_word(struct pr_str *rest, struct pr_str *word_out)
{
	do {
		if (rest->len == 0 || !pr_str_next(rest, ' ', word_out))
			return false;
		*word_out = pr_str_trim(*word_out);
	} while (word_out->len == 0);
	return true;
}

/* A=TCP $h 2525, A=TCP mx.example.org, A=FILE /run/lmtp */
static void add_destination(struct config_builder *builder, struct pr_str argv, struct config_node *group)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str kind = PR_NONE, host = PR_NONE, port = PR_NONE;

	if (!next_word(&argv, &kind) || !next_word(&argv, &host))
		return;
	bool is_socket = pr_str_equal_nocase(kind, PR_STR("FILE"));
	if (!pr_str_equal(host, PR_STR("$h")))
		config_add_value(builder, group, "host", pr_arena_copy(arena, host));
	if (!is_socket && next_word(&argv, &port))
		config_add_value(builder, group, "port", pr_str_equal_nocase(port, PR_STR("smtp")) ? PR_STR("25") : pr_arena_copy(arena, port));
}

static bool has_letter(struct pr_str flags, char letter)
{
	return flags.len > 0 && memchr(flags.data, letter, flags.len) != NULL;
}

static struct pr_str value_of(const struct pr_declared *declared, const char *letter)
{
	for (size_t i = declared->count; i-- > 0;)
		if (pr_str_equal(declared->settings[i].name, pr_str(letter)))
			return declared->settings[i].value;
	return PR_STR("");
}

void config_translate_mailer(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str flags = value_of(declared, "F");

	for (size_t i = 0; i < declared->count; i++) {
		const struct pr_declared_setting *setting = &declared->settings[i];
		const struct equate *equate = find_equate(setting->name, declared->module);
		char label[3] = {setting->name.len > 0 ? setting->name.data[0] : '?', '=', '\0'};
		if (equate == NULL || equate->why == by_rules)
			continue;
		if (equate->why != NULL)
			notice(builder, group, label, 2, equate->why);
		else if (!has_key(group, equate->key))
			config_add_value(builder, group, equate->key, pr_arena_copy(arena, value_of(declared, equate->letter)));
	}
	if (!has_key(group, "flags")) /* none is none, not the module's own */
		config_add_value(builder, group, "flags", PR_STR(""));
	if (pr_str_equal(declared->module, PR_STR("smtp")))
		add_destination(builder, value_of(declared, "A"), group);
	if (pr_str_equal(declared->module, PR_STR("prog")) && has_letter(flags, 'w'))
		config_add_value(builder, group, "owner", PR_STR("true"));
	add_flags(builder, declared->module, flags, group);
}
