/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the expansion: one walk through the aliases of one recipient.
 *
 * The walk keeps its own stack of lists being read (frames), so depth costs heap and never C stack.  What it finds is
 * handed to expansion_append(); when the walk fails, expansion.c takes everything back.
 */
#ifndef KERNEL_ROUTE_WALK_H
#define KERNEL_ROUTE_WALK_H

#include "kernel/route/expand.h"
#include "kernel/route/seen.h"

/* One list being read: the value of an alias, or the lines of an :include: file. */
struct frame {
	struct pr_str rest;          /* what is left of the value, or of the current line */
	struct pr_str lines;         /* :include: only: what is left of the file */
	struct pr_str alias;         /* name of the alias that led here */
	struct pr_str owner;         /* owner-LIST in force */
	struct pr_str include_owner; /* account for programs and files; absent outside :include: */
	struct seen_entry *entry;    /* open while this frame stands */
	uint32_t is_include;
	uint32_t reserved;
};

struct walk {
	struct expansion *expansion;
	const struct expand_source *source;
	const struct pr_recipient *model;
	struct pr_str named;       /* the address that was asked for */
	struct pr_arena arena;     /* scratch: gone with the walk */
	struct frame *frames;
	size_t depth, room;
	size_t seen_before;        /* entries of earlier walks */
	size_t reached;            /* final recipients met, new or already there */
	uint32_t from_wire;
	uint32_t loop;             /* met a list inside itself */
	uint32_t is_list;          /* the address itself has an owner- alias */
	struct expand_result problem; /* first member that means nobody; code 0: none */
};

enum pr_status walk_run(struct walk *walk, struct expand_result *result_out);

/* owned by expand.c */
struct seen *expansion_seen(struct expansion *expansion);
const struct expand_limits *expansion_limits(const struct expansion *expansion);
/* false: a limit was met.  Strings are copied. */
bool expansion_append(struct expansion *expansion, const struct pr_recipient *recipient, struct pr_str owner);

/* Results, in one place so that the texts are alike. */
enum pr_status walk_refuse(struct expand_result *result_out, uint32_t code, const char *enhanced, const char *text);

/* member.c: what one address means; pushes a frame, appends a recipient, or says why neither. */
enum pr_status walk_address(struct walk *walk, struct pr_str address, struct expand_result *result_out);
struct frame *walk_push(struct walk *walk);

#endif
