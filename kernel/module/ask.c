/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map for one question: a set of its own with one instance, so that nothing of the set that is just being made is touched.
 */
#include "kernel/module/internal.h"
#include "kernel/module/loader.h"

struct asking {
	struct module_set set;
	struct module_instance instance;
	struct config_setting setting;
	struct config_instance config;
	struct module_scope scope;
};

static void prepare(struct asking *asking, const struct module_set *outer, struct pr_str class_name, struct pr_str name, struct pr_str arguments)
{
	asking->setting = (struct config_setting){.name = PR_STR("arguments"), .text = arguments, .file = ""};
	asking->config = (struct config_instance){.kind = PR_KIND_MAP, .name = name, .module = class_name, .file = "",
	    .settings = &asking->setting, .setting_count = arguments.len > 0};
	asking->set = (struct module_set){.config = outer->config, .instances = &asking->instance, .count = 1};
	host_init(&asking->set.host);
	pr_arena_init(&asking->set.arena, 1u << 20);
	asking->instance = (struct module_instance){.set = &asking->set, .config = &asking->config};
	pthread_mutex_init(&asking->instance.mutex, NULL);
}

/* What cannot be opened now cannot be asked for good. */
static enum pr_status run_hook(struct asking *asking, enum pr_status (*hook)(struct pr_call *))
{
	return module_run_hook(&asking->scope, &asking->instance, hook) == PR_OK ? PR_OK : PR_PERMFAIL;
}

static enum pr_status load(struct asking *asking)
{
	struct pr_text why;

	pr_text_init(&why, 4096);
	bool good = module_load(&asking->instance, &why);
	if (!good)
		asking->scope.reason = pr_arena_copy(asking->scope.arena, pr_str_trim(pr_text_str(&why)));
	pr_text_fini(&why);
	return good ? PR_OK : PR_PERMFAIL;
}

static enum pr_status ask(struct asking *asking, struct pr_str key, struct pr_str *value_out)
{
	const struct pr_module *module;
	enum pr_status status = load(asking);

	module = asking->instance.module;
	if (status == PR_OK)
		status = run_hook(asking, module->check);
	if (status == PR_OK)
		status = run_hook(asking, module->open);
	asking->instance.is_open = status == PR_OK;
	if (status == PR_OK)
		status = map_lookup(&asking->scope, asking->config.name, key, NULL, value_out);
	return status;
}

enum pr_status module_map_ask(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
    struct pr_str *value_out)
{
	const struct module_set *outer = ((const struct module_frame *)call->kernel)->instance->set;
	struct asking *asking;
	enum pr_status status;

	if (!loader_exists(PR_KIND_MAP, class_name, outer->config->module_directory))
		return pr_fail(call, PR_MISUSE, "there is no module maps/%.*s", PR_PRINT(class_name));
	asking = pr_alloc(sizeof *asking);
	prepare(asking, outer, class_name, name, arguments);
	module_scope_init(&asking->scope, module_thread_new(&asking->set), call->arena);
	status = ask(asking, key, value_out);
	module_thread_free(asking->scope.thread);
	asking->scope.thread = NULL;
	call->reason = asking->scope.reason;
	module_run_close(&asking->scope, &asking->instance);
	pr_free(asking->instance.memory);
	pthread_mutex_destroy(&asking->instance.mutex);
	pr_arena_fini(&asking->set.arena);
	pr_free(asking);
	return status;
}
