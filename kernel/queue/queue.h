/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Above the store: composing a message of our own (a bounce), waking the courier, listing as mailq does.
 */
#ifndef KERNEL_QUEUE_QUEUE_H
#define KERNEL_QUEUE_QUEUE_H

#include "kernel/module/module.h"

/* One datagram with the id; a full or broken socket is no error (the scan finds it). */
void queue_wake(int wake_fd, struct pr_str id);

/* Stores a complete message at once (blocking until durable).  PR_OK and the id, or the reason in the scope. */
typedef enum pr_status queue_body_source(void *context, void *buffer, size_t room, size_t *length_out);
enum pr_status queue_submit(struct module_scope *scope, const struct pr_envelope *envelope, queue_body_source *body,
                            void *context, struct pr_str *id_out);

/* The text of mailq; verbose as -bp -v.  The number of requests in *count_out. */
enum pr_status queue_print(struct module_scope *scope, bool verbose, struct pr_str name,
                           void (*print)(void *context, struct pr_str text), void *context, size_t *count_out);

#endif
