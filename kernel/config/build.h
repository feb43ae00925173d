/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the tree to struct config: shared by the files of this folder only.
 */
#ifndef KERNEL_CONFIG_BUILD_H
#define KERNEL_CONFIG_BUILD_H

#include "kernel/config/config.h"
#include "kernel/config/tree.h"

struct config_builder {
	struct config *config;
	struct pr_text *errors;
	const char *routing; /* a sendmail.cf that takes the place of `rules`, or NULL */
	const struct config_node *root; /* the whole file, to find the line of a value again */
	bool is_declared;           /* what comes now is a rule engine's own, not postrider.conf's */
	bool repeats;               /* it was said before: no notices */
	/* has one of -O been there? of anything? */
	bool has_aliases, has_override_aliases, has_listener, has_override_listener;
	size_t alias_maps;          /* made for AliasFile */
	size_t error_count;
	struct config_instance *instances; /* grows */
	size_t instance_room;
	struct config_listener *listeners;
	size_t listener_room;
};

/* "FILE:LINE: sentence" into errors; line 0 is no line. */
void config_complain(struct config_builder *builder, const struct config_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The nearest of `names` (NULL-terminated) within three edits, or NULL. */
const char *config_nearest(const char *const *names, struct pr_str name);
bool config_want_text(struct config_builder *builder, const struct config_node *node, struct pr_str *text_out);
bool config_want_flag(struct config_builder *builder, const struct config_node *node, int64_t *flag_out);
/* settings.c: by the words of PR_OPTION_BOOL; false: it is none of them. */
bool config_parse_flag(struct pr_str text, bool *flag_out);
bool config_want_number(struct config_builder *builder, const struct config_node *node, int64_t most, int64_t *number_out);

void config_build_options(struct config_builder *builder, const struct config_node *group);
void config_apply_overrides(struct config_builder *builder, const struct pr_list *overrides);
void config_finish_options(struct config_builder *builder);
void config_build_listeners(struct config_builder *builder, const struct config_node *list);
void config_add_submission_listener(struct config_builder *builder);
void config_build_certificates(struct config_builder *builder, const struct config_node *list);
void config_build_groups(struct config_builder *builder, const struct config_node *node);
void config_check_groups(struct config_builder *builder);
/* The node to complain of when that option has a wrong value. */
struct config_node config_option_node(const struct config_builder *builder, const char *name);
/* Numbers that nobody can mean, words that nobody knows. */
void config_judge_options(struct config_builder *builder);
/* After everything else: what concerns the file as a whole. */
void config_check_whole(struct config_builder *builder);
/* Takes an instance out again, when it is there. */
void config_drop_instance(struct config_builder *builder, enum pr_kind kind, struct pr_str name);
/* The settings of an M line as the keys of postrider.conf; each has its own line of the file. */
void config_translate_mailer(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group);
/* A value among the children of a group that has room for it. */
void config_add_value(struct config_builder *builder, struct config_node *group, const char *name, struct pr_str text);
void config_set_option(struct config_builder *builder, const struct config_node *node, struct pr_str name);
/* An option that is more than one value, in sendmail's words; false: it is none of those. */
bool config_take_special(struct config_builder *builder, const struct config_node *node);
/* Before a sendmail.cf speaks: what nobody has said is what it is in sendmail. */
void config_declare_defaults(struct config_builder *builder);
/* Any option in sendmail's words. */
void config_declare_option(struct config_builder *builder, const struct config_node *node);
/* DaemonPortOptions: one listener. */
void config_declare_listener(struct config_builder *builder, const struct config_node *node);
/* AliasFile as sendmail writes it, [class:]spec: a map each. */
void config_declare_aliases(struct config_builder *builder, const struct config_node *node);
/* One of maps, mailers (groups of groups), filters, auth (lists of groups), rules, store (one group). */
void config_build_instances(struct config_builder *builder, enum pr_kind kind, const struct config_node *node);

/* whole.c: a word of SuperSafe as one of its four, or absent */
struct pr_str config_super_safe(struct pr_str word);

#endif
