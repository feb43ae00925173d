/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening one module: the object, its descriptor, its options, its life.
 * All symbols are resolved at once, because a missing one must be found by its author and not by a message.
 */
#include "tool.h"

#include <dlfcn.h>
#include <ltdl.h>
#include <string.h>

#define CALL_MOST ((size_t)64 << 20)

static const struct pr_module *find_descriptor(const char *file)
{
	/* without a slash both loaders would search the system's directories */
	char *path = pr_alloc(strlen(file) + 3);
	const struct pr_module *module = NULL;
	lt_dlhandle handle = NULL;

	memcpy(path, "./", 2);
	memcpy(strchr(file, '/') != NULL ? path : path + 2, file, strlen(file) + 1);
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL)
		tool_complain("%s", dlerror());
	else if (lt_dlinit() != 0 || (handle = lt_dlopen(path)) == NULL)
		tool_complain("%s: %s", file, lt_dlerror());
	else if ((module = lt_dlsym(handle, "pr_module")) == NULL)
		tool_complain("%s has no symbol NAME_LTX_pr_module: PR_MODULE(NAME) must have the name of the file", file);
	pr_free(path);
	return module;
}

static bool speaks_our_abi(const char *file, const struct pr_module *module)
{
	if (module->magic != PR_MODULE_MAGIC)
		tool_complain("%s: the descriptor has no magic: begin it with PR_MODULE_HEAD", file);
	else if (module->abi_major != PR_ABI_MAJOR || module->abi_minor > PR_ABI_MINOR)
		tool_complain("%s was built for ABI %u.%u, this is %u.%u: build it again with the SDK that is installed here", file,
		    module->abi_major, module->abi_minor, PR_ABI_MAJOR, PR_ABI_MINOR);
	else if (module->size < sizeof *module || module->ops == NULL || module->name == NULL)
		tool_complain("%s: the descriptor lacks its size, its name or its .ops", file);
	else
		return true;
	return false;
}

static bool set_option(struct loaded *loaded, const char *setting, uint64_t *given)
{
	struct pr_str text = pr_str(setting), why = PR_NONE;
	size_t equals = pr_str_find(text, '=');
	struct pr_str name = pr_str_slice(text, 0, equals);
	const struct pr_option *option = pr_option_find(loaded->module->options, name);
	const char *nearest = pr_option_nearest(loaded->module->options, name);

	if (equals == text.len) {
		tool_complain("%s: options are given as name=value", setting);
		return false;
	}
	if (option == NULL) {
		tool_complain("%.*s: unknown option%s%s%s", PR_PRINT(name), nearest != NULL ? "; did you mean " : "",
		    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
		return false;
	}
	if (pr_option_parse(option, pr_str_slice(text, equals + 1, text.len), loaded->call.instance, &loaded->options, &why) != PR_OK) {
		tool_complain("%s: %s", option->name, why.data);
		return false;
	}
	size_t row = (size_t)(option - loaded->module->options);
	if (row < 64)
		*given |= UINT64_C(1) << row;
	return true;
}

static bool set_options(struct loaded *loaded, char *const *settings)
{
	const struct pr_option *options = loaded->module->options;
	struct pr_str why = PR_NONE;
	uint64_t given = 0;

	if (pr_option_defaults(options, loaded->call.instance, &loaded->options, &why) != PR_OK) {
		tool_complain("%s", why.data);
		return false;
	}
	for (; *settings != NULL; settings++)
		if (!set_option(loaded, *settings, &given))
			return false;
	for (size_t row = 0; options != NULL && options[row].name != NULL && row < 64; row++)
		if ((options[row].flags & PR_OPTION_REQUIRED) != 0 && (given & UINT64_C(1) << row) == 0) {
			tool_complain("option %s is required: give it as %s=value", options[row].name, options[row].name);
			return false;
		}
	return true;
}

/* check(), and when `run` also open() and thread_open(). */
static bool start(struct loaded *loaded, bool run)
{
	const struct pr_module *module = loaded->module;
	enum pr_status status = module->check != NULL ? module->check(&loaded->call) : PR_OK;
	const char *where = "check";

	if (status == PR_OK && run) {
		where = "open";
		status = module->open != NULL ? module->open(&loaded->call) : PR_OK;
		loaded->opened = status == PR_OK;
	}
	if (status == PR_OK && run && module->thread_open != NULL) {
		where = "thread_open";
		status = module->thread_open(&loaded->call);
	}
	if (status == PR_OK)
		return true;
	tool_complain("%s: %s says %s: %.*s", module->name, where, pr_status_name(status), PR_PRINT(loaded->call.reason));
	return false;
}

bool tool_load(struct loaded *loaded, const char *file, char *const *settings, bool run)
{
	*loaded = (struct loaded){.module = find_descriptor(file)};
	if (loaded->module == NULL || !speaks_our_abi(file, loaded->module)) {
		loaded->module = NULL;
		return false;
	}
	tool_own_name = pr_str(loaded->module->name);
	pr_arena_init(&loaded->options, CALL_MOST);
	pr_arena_init(&loaded->arena, CALL_MOST);
	loaded->call = (struct pr_call){
	    .size = sizeof loaded->call,
	    .host = &tool_host,
	    .arena = &loaded->arena,
	    .instance = pr_alloc(loaded->module->instance_size),
	    .thread = loaded->module->thread_size > 0 ? pr_alloc(loaded->module->thread_size) : NULL,
	    .session = pr_alloc(loaded->module->session_size),
	};
	return set_options(loaded, settings) && start(loaded, run);
}

const struct pr_option *tool_options(const char *file)
{
	const struct pr_module *module = find_descriptor(file);

	return module != NULL && speaks_our_abi(file, module) ? module->options : NULL;
}

void tool_unload(struct loaded *loaded)
{
	const struct pr_module *module = loaded->module;

	if (module == NULL)
		return;
	if (loaded->opened && module->thread_close != NULL)
		module->thread_close(&loaded->call);
	if (loaded->opened && module->close != NULL)
		module->close(&loaded->call);
	pr_free(loaded->call.instance);
	pr_free(loaded->call.thread);
	pr_free(loaded->call.session);
	pr_arena_fini(&loaded->options);
	pr_arena_fini(&loaded->arena);
}
