/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Above the store: composing a message of our own (a bounce), waking the courier.  Listing: listing.h.
 */
#ifndef KERNEL_QUEUE_QUEUE_H
#define KERNEL_QUEUE_QUEUE_H

#include "kernel/module/module.h"
#include "kernel/plan/plan.h"

#include <sys/socket.h>

#define QUEUE_WAKE_MAX 1024 /* bytes of a packet */
/* One packet with the id; a full or broken socket is no error (the scan finds it). */
void queue_wake(int wake_fd, struct pr_str id);
/* The same with what the plan may know: whose it is, for turns, its place in a queue run by QueueSortOrder, and its DeliveryMode (a letter;
 * 0: the configured one).  word_fd, unless -1, is given to the courier, which says one of QUEUE_WORD_... there when the first attempt has
 * ended, and closes it.  False: it did not go out. */
#define QUEUE_WORD_DELIVERED 'D' /* it is in the queue no more */
#define QUEUE_WORD_QUEUED 'Q'    /* it is, or nothing is known */
#define QUEUE_MODE_VERBOSE 'v'   /* as i, and HoldExpensive does not hold it (sendmail -v) */
bool queue_wake_for(int wake_fd, const struct pr_envelope *envelope, struct pr_str sort_order, char mode, int word_fd);
/* What a datagram says: id, source and order; the id borrows the bytes. */
void queue_wake_read(const char *bytes, size_t len, struct plan_item *item_out, char *mode_out);
/* A packet that asks for a queue run instead: the line of selection.h.  False: it did not go out, or is too long for one. */
bool queue_wake_run(int wake_fd, struct pr_str line);
bool queue_wake_is_run(const char *bytes, size_t len, struct pr_str *line_out);
int queue_wake_descriptor(const struct msghdr *message); /* that came with it, the caller's now; -1: none */

/* Stores a complete message at once (blocking until durable).  PR_OK and the id, or the reason in the scope. */
typedef enum pr_status queue_body_source(void *context, void *buffer, size_t room, size_t *length_out);
enum pr_status queue_submit(struct module_scope *scope, const struct pr_envelope *envelope, queue_body_source *body,
                            void *context, struct pr_str *id_out);

/* The same for a message that must know its own id while it is written (a bounce's boundary and Message-Id): `compose`
 * gets the id, passes the body to `write`, and returns the envelope.  group: of the queue; absent, or one that the store does not know: the default one. */
typedef enum pr_status queue_write(void *context, const void *data, size_t len);
typedef enum pr_status queue_composer(void *context, struct pr_str id, queue_write *write, void *write_context,
                                      struct pr_envelope **envelope_out);
enum pr_status queue_compose(struct module_scope *scope, struct pr_str group, queue_composer *compose, void *context, struct pr_str *id_out);

#endif
