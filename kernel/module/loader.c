/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every refusal is found before a function of the module runs: who owns the file, whether all its symbols resolve,
 * whether the descriptor speaks our ABI.  Objects are never closed: a reload is a new process.
 */
#include "kernel/module/loader.h"

#include <postrider/file.h>

#include <dlfcn.h>
#include <errno.h>
#include <ltdl.h>
#include <string.h>
#include <unistd.h>

/* Defined by libtool in programs linked with -dlpreopen; absent elsewhere. */
extern const lt_dlsymlist lt__PROGRAM__LTX_preloaded_symbols[] __attribute__((weak));

const char *loader_kind_folder(enum pr_kind kind)
{
	static const char *const folders[] = {"?", "maps", "mailers", "filters", "rules", "stores", "auth"};

	return (unsigned int)kind < sizeof folders / sizeof folders[0] ? folders[kind] : folders[0];
}

static bool start_ltdl(struct pr_text *why)
{
	static bool started;

	if (started)
		return true;
	if (lt__PROGRAM__LTX_preloaded_symbols != NULL)
		lt_dlpreload_default(lt__PROGRAM__LTX_preloaded_symbols);
	if (lt_dlinit() != 0) {
		pr_text_addf(why, "libltdl does not start: %s", lt_dlerror());
		return false;
	}
	started = true;
	return true;
}

/* Is `name` among the pre-opened objects ("hash.a")? */
static bool is_preopened(struct pr_str name)
{
	if (lt__PROGRAM__LTX_preloaded_symbols == NULL)
		return false;
	for (const lt_dlsymlist *symbol = lt__PROGRAM__LTX_preloaded_symbols; symbol->name != NULL; symbol++) {
		struct pr_str object = pr_str(symbol->name);
		if (symbol->address == NULL && object.len == name.len + 2 && memcmp(object.data, name.data, name.len) == 0 &&
		    memcmp(object.data + name.len, ".a", 2) == 0)
			return true;
	}
	return false;
}

static bool find_file(enum pr_kind kind, struct pr_str name, struct pr_str directory, struct pr_text *path)
{
	pr_text_addf(path, "%.*s/%s/%.*s.so", PR_PRINT(directory), loader_kind_folder(kind), PR_PRINT(name));
	if (access(path->data, F_OK) == 0)
		return true;
	pr_text_clear(path);
	pr_text_addf(path, "%.*s/.libs/%.*s.so", PR_PRINT(directory), PR_PRINT(name));
	return access(path->data, F_OK) == 0;
}

bool loader_exists(enum pr_kind kind, struct pr_str name, struct pr_str directory)
{
	struct pr_text path;

	pr_text_init(&path, 4096);
	bool exists = memchr(name.data, '/', name.len) == NULL && (find_file(kind, name, directory, &path) || is_preopened(name));
	pr_text_fini(&path);
	return exists;
}

static _Thread_local const char *being_loaded; /* a truncated file, or a constructor, can kill us in dlopen */

const char *loader_on_stack(void)
{
	return being_loaded;
}

/* libltdl binds lazily; a missing symbol must be found now and not in the middle of a delivery. */
static bool resolves_now(const char *path, struct pr_text *why)
{
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL) != NULL)
		return true;
	pr_text_addf(why, "cannot be loaded: %s", dlerror());
	return false;
}

static const struct pr_module *find_symbol(lt_dlhandle handle, struct pr_str name, struct pr_text *why)
{
	const struct pr_module *module = lt_dlsym(handle, "pr_module");

	if (module == NULL)
		pr_text_addf(why, "has no symbol %.*s_LTX_pr_module; is it built with PR_MODULE(%.*s)?", PR_PRINT(name), PR_PRINT(name));
	return module;
}

static bool speaks_our_abi(const struct pr_module *module, enum pr_kind kind, struct pr_text *why)
{
	if (module->magic != PR_MODULE_MAGIC)
		pr_text_addf(why, "is no postrider module (wrong magic); build it with PR_MODULE and PR_MODULE_HEAD");
	else if (module->abi_major != PR_ABI_MAJOR)
		pr_text_addf(why, "was built for ABI %u.%u, this postrider speaks %u.%u; rebuild it against the installed SDK",
		    module->abi_major, module->abi_minor, PR_ABI_MAJOR, PR_ABI_MINOR);
	else if (module->abi_minor > PR_ABI_MINOR)
		pr_text_addf(why, "was built for ABI %u.%u, newer than this postrider's %u.%u; upgrade postrider or rebuild the module",
		    module->abi_major, module->abi_minor, PR_ABI_MAJOR, PR_ABI_MINOR);
	else if (module->kind != kind)
		pr_text_addf(why, "is of another kind: it belongs under %s, not %s", loader_kind_folder(module->kind),
		    loader_kind_folder(kind));
	else if (module->size < sizeof(struct pr_module) || module->ops == NULL || module->name == NULL)
		pr_text_addf(why, "has an incomplete descriptor; build it with PR_MODULE_HEAD and set .name and .ops");
	else
		return true;
	return false;
}

static const struct pr_module *open_handle(const char *path, struct pr_str name, enum pr_kind kind, struct pr_text *why)
{
	lt_dlhandle handle = lt_dlopen(path);

	if (handle == NULL) {
		pr_text_addf(why, "cannot be loaded: %s", lt_dlerror());
		return NULL;
	}
	const struct pr_module *module = find_symbol(handle, name, why);
	return module != NULL && speaks_our_abi(module, kind, why) ? module : NULL;
}

const struct pr_module *loader_open(enum pr_kind kind, struct pr_str name, struct pr_str directory, uint32_t trusted_uid,
    struct pr_text *why)
{
	struct pr_text path;
	struct pr_text reason;
	const struct pr_module *module = NULL;

	pr_text_init(&path, 4096);
	pr_text_init(&reason, 2048);
	if (!start_ltdl(&reason)) {
		pr_text_addf(why, "%s", reason.data);
	} else if (find_file(kind, name, directory, &path)) {
		being_loaded = path.data;
		if (pr_file_is_trusted(path.data, trusted_uid, &reason) && resolves_now(path.data, &reason))
			module = open_handle(path.data, name, kind, &reason);
		being_loaded = NULL;
		if (module == NULL)
			pr_text_addf(why, "%s: %s", path.data, reason.data);
	} else if (is_preopened(name)) {
		pr_text_clear(&path);
		pr_text_addf(&path, "%.*s.a", PR_PRINT(name));
		module = open_handle(path.data, name, kind, &reason);
		if (module == NULL)
			pr_text_addf(why, "pre-opened %.*s: %s", PR_PRINT(name), reason.data);
	} else if (access(directory.data, X_OK) != 0 && errno == EACCES) {
		pr_text_addf(why, "module_directory %.*s: Permission denied; uid %u cannot enter it or a folder above it",
		    PR_PRINT(directory), (unsigned int)geteuid());
	} else {
		pr_text_addf(why, "%.*s/%s/%.*s.so: no such module; install it, or correct module_directory or module",
		    PR_PRINT(directory), loader_kind_folder(kind), PR_PRINT(name));
	}
	pr_text_fini(&path);
	pr_text_fini(&reason);
	return module;
}
