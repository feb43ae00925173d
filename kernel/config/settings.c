/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an instance was given for its module, for those who must know it before, or without, the module.  They have to understand it as the module
 * will: so values are read by the parser that fills its options.
 */
#include "kernel/config/build.h"

#include <postrider/option.h>

const struct config_setting *config_setting_find(const struct config_instance *instance, const char *name)
{
	for (size_t i = instance->setting_count; i-- > 0;)
		if (pr_str_equal_nocase(instance->settings[i].name, pr_str(name)))
			return &instance->settings[i];
	return NULL;
}

struct pr_str config_setting_text(const struct config_instance *instance, const char *name)
{
	const struct config_setting *setting = config_setting_find(instance, name);

	return setting != NULL ? setting->text : PR_NONE;
}

bool config_setting_is_true(const struct config_instance *instance, const char *name)
{
	const struct config_setting *setting = config_setting_find(instance, name);
	bool flag = false;

	return setting != NULL && config_parse_flag(setting->text, &flag) && flag;
}

bool config_parse_flag(struct pr_str text, bool *flag_out)
{
	static const struct pr_option row = {.name = "", .type = PR_OPTION_BOOL};
	struct pr_str why = PR_NONE;
	struct pr_arena arena;
	uint32_t flag = 0;

	pr_arena_init(&arena, 1000); /* for its sentence; who asks has one of his own */
	bool good = pr_option_parse(&row, text, &flag, &arena, &why) == PR_OK;
	pr_arena_fini(&arena);
	if (good)
		*flag_out = flag != 0;
	return good;
}
