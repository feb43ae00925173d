/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration file as a plain tree, so that nobody but tree.c knows libconfig.
 */
#ifndef KERNEL_CONFIG_TREE_H
#define KERNEL_CONFIG_TREE_H

#include <postrider/arena.h>

enum config_node_kind { CONFIG_SCALAR = 1, CONFIG_LIST = 2, CONFIG_GROUP = 3 };

struct config_node {
	enum config_node_kind kind;
	struct pr_str name; /* empty inside a list */
	struct pr_str text; /* scalars: the value as text, "true" and "false" for booleans */
	const char *file;
	uint32_t line;
	struct config_node *children;
	size_t child_count;
};

/* NULL and "FILE:LINE: sentence" in `errors`. */
struct config_node *config_tree_parse(const char *path, struct pr_str bytes, struct pr_arena *arena, struct pr_text *errors);
/* The child of that name (exact), or NULL. */
const struct config_node *config_node_find(const struct config_node *group, const char *name);

#endif
