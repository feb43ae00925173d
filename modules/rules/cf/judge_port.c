/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DaemonPortOptions and ClientPortOptions: keys go by their first letter, large or small where two of them share one.  What comes out has
 * the whole names.
 */
#include "judge.h"

#include <string.h>

static const char *delay_or_mode(struct pr_str name)
{
	return name.data[0] == 'D' ? "DeliveryMode" : "delayLA";
}

static const char *refuse_or_size(struct pr_str name)
{
	return name.data[0] == 'R' ? "RcvBufSize" : "refuseLA";
}

static const char *safe_or_size(struct pr_str name)
{
	return pr_str_has_prefix_nocase(name, PR_STR("su")) ? "SuperSafe" : "SndBufSize";
}

static const struct {
	char letter; /* small */
	const char *name;
	const char *(*choose)(struct pr_str name);
} keys[] = {
	{ 'a', "Addr", NULL }, { 'c', "children", NULL }, { 'd', NULL, delay_or_mode }, { 'f', "Family", NULL },
	{ 'i', "InputMailFilters", NULL }, { 'l', "Listen", NULL }, { 'm', "Modifier", NULL }, { 'n', "Name", NULL },
	{ 'p', "Port", NULL }, { 'q', "queueLA", NULL }, { 'r', NULL, refuse_or_size }, { 's', NULL, safe_or_size },
};

static const char *whole_name(struct pr_str name)
{
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (name.len > 0 && (name.data[0] | 0x20) == keys[i].letter)
			return keys[i].choose != NULL ? keys[i].choose(name) : keys[i].name;
	return NULL;
}

static bool is_family(struct pr_str value)
{
	static const char *const families[] = { "inet", "inet6", "local", "unix" };

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (pr_str_equal_nocase(pr_str(families[i]), value))
			return true;
	return value.len > 0 && value.data[0] >= '0' && value.data[0] <= '9';
}

/* Values that sendmail looks at while it reads; hosts and ports the kernel looks up. */
static bool judge_value(struct cf *cf, const char *name, struct pr_str value)
{
	if (strcmp(name, "Family") == 0 && !is_family(value)) {
		cf_complain(cf, "Unknown address family %.*s in Family=option", PR_PRINT(value));
		return false;
	}
	if (strcmp(name, "DeliveryMode") == 0 && (value.len == 0 || strchr("ibqd", value.data[0]) == NULL)) {
		cf_complain(cf, "Unknown delivery mode %c", value.len > 0 ? value.data[0] : ' ');
		return false;
	}
	return true;
}

struct pr_str cf_judge_ports(struct cf *cf, struct pr_str value)
{
	struct pr_str item, result;
	struct pr_text kept;

	pr_text_init(&kept, value.len * 20 + 1);
	while (value.len > 0 && pr_str_next(&value, ',', &item)) {
		item = pr_str_trim(item);
		size_t equal = pr_str_find(item, '=');
		if (equal == item.len) /* no key at all: sendmail looks past it */
			continue;
		const char *name = whole_name(item);
		struct pr_str text = pr_str_trim(pr_str_slice(item, equal + 1, item.len));
		if (name == NULL)
			cf_complain(cf, "PortOptions parameter \"%.*s\" unknown", PR_PRINT(item));
		else if (judge_value(cf, name, text))
			pr_text_addf(&kept, "%s%s=%.*s", kept.len > 0 ? ", " : "", name, PR_PRINT(text));
	}
	result = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return result;
}
