/* SPDX-License-Identifier: BSD-2-Clause
 *
 * =S and =M: rules and mailers as the engine understood them.
 */
#include "console.h"

#include <grp.h>
#include <pwd.h>

static void side(struct cf_run *run, const struct cf_token *tokens, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		cf_show(&run->cf->names, &tokens[i], 1, run->trace);
		pr_text_add_byte(run->trace, ' ');
	}
}

static void show_set(struct cf_run *run, struct pr_str name)
{
	uint16_t number = cf_set_find(run->cf, pr_str_trim(name));

	if (number == 0) {
		cf_console_fault(run, pr_str_trim(name));
		pr_text_addf(run->trace, "Undefined ruleset %.*s\n", PR_PRINT(name));
		return;
	}
	const struct cf_set *set = &run->cf->sets[number - 1];
	for (uint32_t i = 0; i < set->count; i++) {
		pr_text_add_byte(run->trace, 'R');
		side(run, set->rules[i].left, set->rules[i].left_count);
		pr_text_add_c(run->trace, "\t\t");
		side(run, set->rules[i].right, set->rules[i].right_count);
		pr_text_add_byte(run->trace, '\n');
	}
}

static void show_sets(struct cf_run *run, const char *label, uint16_t envelope, uint16_t header)
{
	char buffers[2][12];

	pr_text_addf(run->trace, " %s=%.*s/%.*s", label, PR_PRINT(cf_set_label(run->cf, envelope == 0 ? 0 : (uint16_t)(envelope - 1), buffers[0])),
	             PR_PRINT(cf_set_label(run->cf, header == 0 ? 0 : (uint16_t)(header - 1), buffers[1])));
}

static void show_escaped(struct cf_run *run, struct pr_str text)
{
	struct cf_token token = { .text = text.data, .length = (uint16_t)text.len };

	cf_show(&run->cf->names, &token, 1, run->trace);
}

/* "user:group" as numbers; -1:-1 when not given. */
static void show_user(struct cf_run *run, struct pr_str user)
{
	size_t colon = pr_str_find(user, ':');
	char *name = pr_copy_str(pr_str_slice(user, 0, colon)), *group = pr_copy_str(pr_str_slice(user, colon + 1, user.len));
	const struct passwd *account = user.len > 0 ? getpwnam(name) : NULL;
	const struct group *members = colon < user.len ? getgrnam(group) : NULL;
	long uid = account != NULL ? (long)account->pw_uid : -1;
	long gid = members != NULL ? (long)members->gr_gid : account != NULL ? (long)account->pw_gid : -1;

	pr_text_addf(run->trace, " U=%ld:%ld", uid, gid);
	pr_free(name);
	pr_free(group);
}

static void show_words(struct cf_run *run, struct pr_str text)
{
	struct pr_str word;

	pr_text_add_c(run->trace, " A=");
	for (bool first = true; text.len > 0 && pr_str_next(&text, ' ', &word);) {
		if (word.len == 0)
			continue;
		pr_text_addf(run->trace, "%s%.*s", first ? "" : " ", PR_PRINT(word));
		first = false;
	}
}

static void show_mailer(struct cf_run *run, const struct cf_mailer *m, size_t number)
{
	struct pr_text *out = run->trace;

	pr_text_addf(out, "mailer %zu (%.*s): P=%.*s", number, PR_PRINT(m->name), PR_PRINT(m->path));
	show_sets(run, "S", m->sender_envelope, m->sender_header);
	show_sets(run, "R", m->recipient_envelope, m->recipient_header);
	pr_text_addf(out, " M=%lld", (long long)m->max_size);
	show_user(run, m->user);
	pr_text_add_c(out, " F=");
	for (char flag = 1; flag > 0 && flag < 127; flag++)
		if (cf_mailer_has(m, flag))
			pr_text_add_byte(out, flag);
	pr_text_addf(out, " L=%lld E=", (long long)m->line_limit);
	show_escaped(run, m->end_of_line);
	if (m->charset.len > 0)
		pr_text_addf(out, " C=%.*s", PR_PRINT(m->charset));
	pr_text_add_c(out, " T=");
	for (size_t i = 0; i < 3; i++)
		pr_text_addf(out, "%s%.*s", i == 0 ? "" : "/", PR_PRINT(m->types[i].data == NULL ? PR_STR("<undefined>") : m->types[i]));
	pr_text_addf(out, " r=%lld", (long long)m->max_recipients);
	show_words(run, m->argv);
	pr_text_add_byte(out, '\n');
}

void cf_console_show(struct cf_run *run, struct pr_str line)
{
	if (line.len < 2)
		pr_text_add_c(run->trace, "Usage: =Sruleset or =M\n");
	else if (line.data[1] == 'S')
		show_set(run, pr_str_slice(line, 2, line.len));
	else if (line.data[1] != 'M')
		pr_text_addf(run->trace, "Unknown \"=\" command %.*s\n", PR_PRINT(line));
	else
		for (size_t i = 0; i < run->cf->mailer_count; i++)
			show_mailer(run, &run->cf->mailers[i], i);
}
