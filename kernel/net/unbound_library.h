/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libunbound, loaded when the first question is asked.
 *
 * The master, which is root and asks nobody, and the helpers, which start for each mailbox, are the same program as the receiver and the courier:
 * linked, the library and what it brings would be in their memory too.
 */
#ifndef KERNEL_NET_UNBOUND_LIBRARY_H
#define KERNEL_NET_UNBOUND_LIBRARY_H

#include <postrider/text.h>
#include <unbound.h>

/* The functions that are used, by the types of its header. */
struct unbound_library {
	__typeof__(ub_ctx_create) *create;
	__typeof__(ub_ctx_delete) *delete;
	__typeof__(ub_ctx_set_option) *set_option;
	__typeof__(ub_ctx_set_fwd) *set_forwarder;
	__typeof__(ub_ctx_resolvconf) *read_resolv_conf;
	__typeof__(ub_ctx_add_ta_file) *add_anchors;
	__typeof__(ub_ctx_zone_remove) *remove_zone;
	__typeof__(ub_ctx_debugout) *debug_to;
	__typeof__(ub_ctx_async) *use_thread;
	__typeof__(ub_fd) *descriptor;
	__typeof__(ub_process) *process;
	__typeof__(ub_resolve_async) *resolve;
	__typeof__(ub_resolve_free) *free_result;
	__typeof__(ub_strerror) *explain;
};

/* NULL, with a sentence: it is not there. */
const struct unbound_library *unbound_library_get(struct pr_text *why);

#endif
