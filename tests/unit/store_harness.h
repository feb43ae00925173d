/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A store module without a kernel: loaded by dlopen, given a scratch directory and a small host table.
 */
#ifndef TESTS_UNIT_STORE_HARNESS_H
#define TESTS_UNIT_STORE_HARNESS_H

#include <postrider/host.h>
#include <postrider/store.h>

struct harness {
	void *library;
	const struct pr_module *module;
	const struct pr_store_ops *ops;
	void *instance;
	struct pr_arena options; /* option texts live here */
	char directory[256];
};

/* `path` is the shared object ("dir/spool.so" has the symbol spool_LTX_pr_module); `settings` are "name=value", NULL at the end.
 * false with a line on stderr. */
bool harness_open(struct harness *h, const char *path, const char *directory, const char *const *settings, uint32_t role);
void harness_close(struct harness *h);

/* Option QueueGroups of the next store, "name=path,name=path"; NULL: none. */
extern const char *harness_queue_groups;

/* What stores have logged since it was last set to "". */
extern char harness_logged[16384];

/* A call: one per thread and use. */
struct harness_call {
	struct pr_call call;
	struct pr_arena arena;
};
void harness_call_init(struct harness_call *c, const struct harness *h);
void harness_call_fini(struct harness_call *c);

/* Begins, writes the body in two pieces, commits, waits.  0: refused before done() was due. */
enum pr_commit harness_submit(const struct harness *h, const struct pr_envelope *envelope, const char *body, size_t len,
                              char id_out[64], char reason_out[512]);
/* The same into a queue group. */
enum pr_commit harness_submit_in(const struct harness *h, struct pr_str queue, const struct pr_envelope *envelope, const char *body, size_t len);
/* A small envelope in static storage of the caller. */
struct harness_envelope {
	struct pr_envelope envelope;
	struct pr_recipient recipients[4];
	struct pr_header headers[4];
	struct pr_macro macros[4];
};
void harness_envelope(struct harness_envelope *e);
/* The whole body of a claimed message; false when it cannot be read. */
bool harness_read_body(const struct harness *h, struct pr_claim *claim, struct pr_text *out);
/* Number of entries a scan shows; -1 on failure. */
int harness_count(const struct harness *h);
/* mkdtemp below $TMPDIR or /tmp. */
bool harness_scratch(char path_out[256]);
void harness_remove_scratch(const char *path);
/* Number of names in a directory except . .. .id and journal */
int harness_files(const char *path);

#endif
