/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module: one shared object, one descriptor.
 *
 *   #include <postrider/map.h>
 *
 *   static enum pr_status lookup(struct pr_call *call, struct pr_str key,
 *                                const struct pr_list *args, struct pr_str *value_out);
 *   static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };
 *   PR_MODULE(hello) = { PR_MODULE_HEAD(PR_KIND_MAP), .name = "hello", .version = "1.0",
 *                        .summary = "says hello", .ops = &ops };
 *
 * Built as hello.so (libtool: -module -avoid-version) the kernel finds the
 * symbol hello_LTX_pr_module; pre-opened (-dlpreopen) the same source works
 * without change.
 *
 * Life.  One process reads the configuration and for each declared instance:
 * fills the options, calls check(), then open().  Each kernel thread that uses
 * the instance has thread_open() called first.  close() runs once when the
 * process leaves in good order; nothing is ever unloaded under a running
 * session, because a reload is a new process.
 *
 * Four lifetimes: instance (call->instance), thread (call->thread), session
 * (call->session: an SMTP connection for a filter, a transport connection for
 * a mailer) and call (call->arena).  All memory is the kernel's, zeroed, of
 * the sizes below; a module never frees what it was given, nor the kernel
 * what a module returned.
 *
 * Threads.  Calls on one instance are serialised unless PR_CONCURRENT is set.
 * A call may block; give up at call->deadline_ms.
 *
 * check() must not touch the world beyond reading files named by options: it
 * also runs in `postriderctl check` beside a running daemon.
 */
#ifndef POSTRIDER_MODULE_H
#define POSTRIDER_MODULE_H

#include "call.h"
#include "host.h"
#include "option.h"
#include "version.h"

enum pr_kind {
	PR_KIND_MAP = 1,
	PR_KIND_MAILER = 2,
	PR_KIND_FILTER = 3,
	PR_KIND_RULES = 4,
	PR_KIND_STORE = 5,
	PR_KIND_AUTH = 6
};

#define PR_CONCURRENT 1u /* functions may run in many threads at once */
#define PR_PROMPT 2u     /* a map whose lookup waits for nothing but memory and local files: no other thread is called to help before it */
#define PR_ANY_ADDRESS 4u /* rules, since 1.4: they read addresses themselves, and are given whatever MAIL and RCPT bring in brackets */

struct pr_module {
	uint32_t magic;     /* PR_MODULE_MAGIC */
	uint16_t abi_major; /* PR_ABI_MAJOR */
	uint16_t abi_minor; /* PR_ABI_MINOR */
	size_t size;        /* sizeof(struct pr_module) */
	uint32_t kind;      /* enum pr_kind */
	uint32_t flags;     /* PR_CONCURRENT, PR_PROMPT, PR_ANY_ADDRESS */
	size_t instance_size;
	size_t thread_size;
	size_t session_size;
	const char *name;
	const char *version;
	const char *summary;
	const struct pr_option *options; /* may be NULL */
	enum pr_status (*check)(struct pr_call *call); /* all of these may be NULL */
	enum pr_status (*open)(struct pr_call *call);
	void (*close)(struct pr_call *call);
	enum pr_status (*thread_open)(struct pr_call *call);
	void (*thread_close)(struct pr_call *call);
	const void *ops; /* struct pr_map_ops, pr_mailer_ops ... by kind */
};

#define PR_MODULE_HEAD(kind_) \
	.magic = PR_MODULE_MAGIC, .abi_major = PR_ABI_MAJOR, .abi_minor = PR_ABI_MINOR, \
	.size = sizeof(struct pr_module), .kind = (kind_)

#if defined(__GNUC__)
#define PR_EXPORT __attribute__((visibility("default")))
#else
#define PR_EXPORT
#endif

#define PR_MODULE(name_) \
	extern PR_EXPORT const struct pr_module name_##_LTX_pr_module; \
	const struct pr_module name_##_LTX_pr_module

#endif
