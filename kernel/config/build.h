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
	const struct config_node *root; /* the whole file, to find the line of a value again */
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
bool config_want_number(struct config_builder *builder, const struct config_node *node, int64_t most, int64_t *number_out);

void config_build_options(struct config_builder *builder, const struct config_node *group);
void config_apply_overrides(struct config_builder *builder, const struct pr_list *overrides);
void config_finish_options(struct config_builder *builder);
void config_build_listeners(struct config_builder *builder, const struct config_node *list);
void config_add_submission_listener(struct config_builder *builder);
void config_build_groups(struct config_builder *builder, const struct config_node *node);
void config_check_groups(struct config_builder *builder);
/* The node to complain of when that option has a wrong value. */
struct config_node config_option_node(const struct config_builder *builder, const char *name);
/* Numbers that nobody can mean, words that nobody knows. */
void config_judge_options(struct config_builder *builder);
/* After everything else: what concerns the file as a whole. */
void config_check_whole(struct config_builder *builder);
/* One of maps, mailers (groups of groups), filters, auth (lists of groups), rules, store (one group). */
void config_build_instances(struct config_builder *builder, enum pr_kind kind, const struct config_node *node);

#endif
