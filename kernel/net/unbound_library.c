/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of names and places, filled by dlsym once for the process.
 * It is never unloaded: its threads may still be at work when nobody asks any more.
 */
#include "kernel/net/unbound_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define UNBOUND_LIBRARY "libunbound.so.8"

static struct unbound_library library;
static bool is_loaded;
static char failure[400];

static const struct {
	const char *name;
	size_t field;
} functions[] = {
    {"ub_ctx_create", offsetof(struct unbound_library, create)},
    {"ub_ctx_delete", offsetof(struct unbound_library, delete)},
    {"ub_ctx_set_option", offsetof(struct unbound_library, set_option)},
    {"ub_ctx_set_fwd", offsetof(struct unbound_library, set_forwarder)},
    {"ub_ctx_resolvconf", offsetof(struct unbound_library, read_resolv_conf)},
    {"ub_ctx_add_ta_file", offsetof(struct unbound_library, add_anchors)},
    {"ub_ctx_zone_remove", offsetof(struct unbound_library, remove_zone)},
    {"ub_ctx_debugout", offsetof(struct unbound_library, debug_to)},
    {"ub_ctx_async", offsetof(struct unbound_library, use_thread)},
    {"ub_fd", offsetof(struct unbound_library, descriptor)},
    {"ub_process", offsetof(struct unbound_library, process)},
    {"ub_resolve_async", offsetof(struct unbound_library, resolve)},
    {"ub_resolve_free", offsetof(struct unbound_library, free_result)},
    {"ub_strerror", offsetof(struct unbound_library, explain)},
};

static void load(void)
{
	void *handle = dlopen(UNBOUND_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL) {
		pr_print(failure, sizeof failure, "the resolver's library cannot be loaded: %s", dlerror());
		return;
	}
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		void *address = dlsym(handle, functions[i].name);
		if (address == NULL) {
			pr_print(failure, sizeof failure, "%s has no function %s", UNBOUND_LIBRARY, functions[i].name);
			return;
		}
		memcpy((char *)&library + functions[i].field, &address, sizeof address);
	}
	is_loaded = true;
}

const struct unbound_library *unbound_library_get(struct pr_text *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!is_loaded)
		pr_text_add_c(why, failure);
	return is_loaded ? &library : NULL;
}
