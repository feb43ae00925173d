/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Above the store: composing a message of our own (a bounce), waking the courier.  Listing: listing.h.
 */
#ifndef KERNEL_QUEUE_QUEUE_H
#define KERNEL_QUEUE_QUEUE_H

#include "kernel/module/module.h"
#include "kernel/plan/plan.h"

/* One packet with the id; a full or broken socket is no error (the scan finds it). */
void queue_wake(int wake_fd, struct pr_str id);
/* The same with what the plan may know: whose it is, for turns, and its place in a queue run by QueueSortOrder. */
#define QUEUE_WAKE_MAX 96
void queue_wake_with(int wake_fd, const struct pr_envelope *envelope, struct pr_str sort_order);
/* What a datagram says: id, source and order; the id borrows the bytes. */
void queue_wake_read(const char *bytes, size_t len, struct plan_item *item_out);

/* Stores a complete message at once (blocking until durable).  PR_OK and the id, or the reason in the scope. */
typedef enum pr_status queue_body_source(void *context, void *buffer, size_t room, size_t *length_out);
enum pr_status queue_submit(struct module_scope *scope, const struct pr_envelope *envelope, queue_body_source *body,
                            void *context, struct pr_str *id_out);

/* The same for a message that must know its own id while it is written (a bounce's boundary and Message-Id): `compose`
 * gets the id, passes the body to `write`, and returns the envelope. */
typedef enum pr_status queue_write(void *context, const void *data, size_t len);
typedef enum pr_status queue_composer(void *context, struct pr_str id, queue_write *write, void *write_context,
                                      struct pr_envelope **envelope_out);
enum pr_status queue_compose(struct module_scope *scope, queue_composer *compose, void *context, struct pr_str *id_out);

#endif
