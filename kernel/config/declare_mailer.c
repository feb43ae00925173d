/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An M line as keys of postrider.conf:
 *
 *   Mesmtp, P=[IPC], F=mDFMuXa, r=100, A=TCP $h 2525     esmtp = { module = "smtp"; flags = "mDFMuXa"; recipients = 100; port = 2525; };
 *   Mlocal, P=/usr/bin/procmail, F=lsDFMAw5, A=procmail -a $h -d $u
 *                                                         local = { module = "prog"; flags = ...; path = ...; argv = ...; owner = true; };
 *
 *   Mlmtp, P=/usr/bin/lmtpd, F=lsz, A=lmtpd -x            lmtp = { module = "smtp"; lmtp = true; path = "/usr/bin/lmtpd"; argv = "lmtpd -x"; };
 *
 * Two tables: equates, and what F= letters say to the module.
 */
#include "kernel/config/build.h"
#include "kernel/config/mailer_flags.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pwd.h>
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
    {"P", "local", NULL, "mail.local would have to be root for each message; the mailbox is written as its owner, by the module local"},
    {"P", NULL, NULL, by_rules},
    {"A", "prog", "argv", NULL},
    {"A", NULL, NULL, by_rules},
    {"D", "prog", "directory", NULL},
    {"U", "prog", "user", NULL},
    {"W", "prog", "timeout", NULL},
    {"E", "prog", "end_of_line", NULL},
    {"E", NULL, NULL, by_rules},
    {"C", NULL, "charset", NULL},
    {"T", NULL, "types", NULL},
    {"N", "prog", "niceness", NULL},
    {"/", "prog", "root", NULL},
    {"N", NULL, NULL, "only a program can be told to be nice"},
    {"/", NULL, NULL, "only a program has a root directory"},
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

#define BLANKS " \t\n" /* between the words of A=, for the modules too */

/* A service by its name is what the system's list of them says. */
static struct pr_str port_of(struct config_builder *builder, const struct config_node *group, struct pr_str port)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str name = pr_arena_copy(arena, port);
	uint64_t number;

	if (pr_str_number(port, UINT16_MAX, &number))
		return name;
	const struct servent *service = getservbyname(name.data, "tcp");
	if (service != NULL)
		return pr_arena_printf(arena, "%u", ntohs((uint16_t)service->s_port));
	if (pr_str_equal_nocase(port, PR_STR("smtp")))
		return PR_STR("25");
	config_complain(builder, group, "mailer %.*s, A=: there is no TCP service %s; name its port", PR_PRINT(group->name), name.data);
	return PR_STR("25");
}

/* A=TCP $h 2525, A=TCP mx.example.org, A=FILE /run/lmtp */
static void add_destination(struct config_builder *builder, struct pr_str argv, struct config_node *group)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str kind = PR_NONE, host = PR_NONE, port = PR_NONE;

	if (!pr_str_word(&argv, BLANKS, &kind) || !pr_str_word(&argv, BLANKS, &host))
		return;
	bool is_socket = pr_str_equal_nocase(kind, PR_STR("FILE"));
	if (!pr_str_equal(host, PR_STR("$h")))
		config_add_value(builder, group, "host", pr_arena_copy(arena, host));
	if (!is_socket && pr_str_word(&argv, BLANKS, &port))
		config_add_value(builder, group, "port", port_of(builder, group, port));
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

/* Programs: "prog" gets recipients as arguments, "smtp" is spoken with; their keys are the same. */
static bool is_program(const struct pr_declared *declared)
{
	struct pr_str path = value_of(declared, "P");

	return pr_str_equal(declared->module, PR_STR("prog")) || (pr_str_equal(declared->module, PR_STR("smtp")) && path.len > 0 && path.data[0] == '/');
}

/* D=$z:/ with the home directory as the helper knows it. */
static struct pr_str directories_of(struct config_builder *builder, struct pr_str value)
{
	struct pr_text text;

	pr_text_init(&text, value.len + 1);
	for (size_t i = 0; i < value.len; i++) {
		bool is_home = value.data[i] == '$' && i + 1 < value.len && value.data[i + 1] == 'z';
		pr_text_add_byte(&text, is_home ? '~' : value.data[i]);
		i += is_home;
	}
	struct pr_str copy = pr_arena_copy(&builder->config->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return copy;
}

/* What sendmail would do, and nothing here does. */
static void refuse(struct config_builder *builder, const struct pr_declared *declared, const struct config_node *group)
{
	struct pr_str path = value_of(declared, "P"), user = value_of(declared, "U");
	char *name = pr_copy_str(pr_str_slice(user, 0, pr_str_find(user, ':')));
	const struct passwd *entry = name[0] != '\0' ? getpwnam(name) : NULL;

	if (pr_str_equal_nocase(path, PR_STR("[LPC]")))
		config_complain(builder, group, "mailer %.*s: P=[LPC] speaks over the standard input and output of the daemon, where nobody is; "
		    "name a program in P=, or a host or a socket with P=[IPC]", PR_PRINT(group->name));
	if (is_program(declared) && ((entry != NULL && entry->pw_uid == 0) || strcmp(name, "0") == 0))
		config_complain(builder, group, "mailer %.*s: U=%s: no program is run as root here; name the account that its files belong to", PR_PRINT(group->name), name);
	pr_free(name);
}

static void add_equates(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_str module = is_program(declared) ? PR_STR("prog") : declared->module;

	for (size_t i = 0; i < declared->count; i++) {
		const struct pr_declared_setting *setting = &declared->settings[i];
		const struct equate *equate = find_equate(setting->name, module);
		char label[3] = {setting->name.len > 0 ? setting->name.data[0] : '?', '=', '\0'};
		bool by_protocol = label[0] == 'E' && pr_str_equal(declared->module, PR_STR("smtp"));
		if (equate == NULL || equate->why == by_rules || by_protocol)
			continue;
		struct pr_str value = value_of(declared, equate->letter);
		if (equate->why != NULL)
			notice(builder, group, label, 2, equate->why);
		else if (!has_key(group, equate->key))
			config_add_value(builder, group, equate->key,
			    label[0] == 'D' ? directories_of(builder, value) : pr_arena_copy(&builder->config->arena, value));
	}
}

/* mail.local -h FILE: a mailbox in the home directory. */
static void add_mailbox(struct config_builder *builder, struct pr_str argv, struct config_node *group)
{
	struct pr_str word, name;

	while (pr_str_word(&argv, BLANKS, &word))
		if (pr_str_equal(word, PR_STR("-h")) && pr_str_word(&argv, BLANKS, &name))
			config_add_value(builder, group, "path", pr_arena_printf(&builder->config->arena, "~/%.*s", PR_PRINT(name)));
}

void config_translate_mailer(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_str flags = value_of(declared, "F"), argv = value_of(declared, "A");
	bool runs = is_program(declared);

	refuse(builder, declared, group);
	add_equates(builder, declared, group);
	if (!has_key(group, "flags")) /* none is none, not the module's own */
		config_add_value(builder, group, "flags", PR_STR(""));
	if (pr_str_equal(declared->module, PR_STR("smtp")) && !runs)
		add_destination(builder, argv, group);
	if (pr_str_equal(declared->module, PR_STR("local")))
		add_mailbox(builder, argv, group);
	if (pr_str_equal(declared->module, PR_STR("smtp")) && !has_letter(flags, 'a'))
		config_add_value(builder, group, "announced", PR_STR("true"));
	if (runs && has_letter(flags, 'w') && has_letter(flags, 'S')) /* root for the sake of who mail is for: that is enough */
		config_add_value(builder, group, "owner", PR_STR("true"));
	add_flags(builder, declared->module, flags, group);
}
