/* SPDX-License-Identifier: BSD-2-Clause
 *
 * virtusertable: from user@domain to whatever the administrator wrote, most specific key first.
 * The keys and their %1 %2 %3 are a table, in sendmail's order.
 */
#include "routes.h"

struct form {
	const char *mark;     /* between user and @ */
	uint32_t with_user;
	uint32_t need_detail; /* 1: a + must be there; 2: and something after it */
};

/* after user+detail@dom: user++@dom, user+*@dom, user@dom, ++@dom, +*@dom, @dom */
static const struct form forms[] = { { "++", 1, 2 }, { "+*", 1, 1 }, { "", 1, 1 }, { "++", 0, 2 }, { "+*", 0, 1 }, { "", 0, 0 } };

static struct pr_str form_key(struct pr_call *call, const struct form *form, struct pr_str user, struct pr_str domain)
{
	struct pr_str part = form->with_user ? user : PR_STR("");

	return pr_arena_printf(call->arena, "%.*s%s@%.*s", PR_PRINT(part), form->mark, PR_PRINT(domain));
}

/* args: %0 key, %1 user, %2 detail, %3 "+detail" */
static enum pr_status find(struct pr_call *call, const struct canonical *address, struct pr_str *value_out, struct pr_str args[4])
{
	const struct routes *routes = call->instance;
	size_t plus = pr_str_find(address->local, '+');
	bool has_plus = plus > 0 && plus < address->local.len;
	struct pr_str user = has_plus ? pr_str_slice(address->local, 0, plus) : address->local;
	struct pr_str detail = has_plus ? pr_str_slice(address->local, plus + 1, address->local.len) : PR_STR("");

	args[0] = pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(address->local), PR_PRINT(address->domain));
	args[1] = address->local;
	args[2] = args[3] = PR_STR("");
	enum pr_status status = routes_lookup(call, routes->virtusertable, args[0], value_out);
	if (has_plus) {
		args[1] = user;
		args[2] = detail;
		args[3] = pr_str_slice(address->local, plus, address->local.len);
	}
	for (size_t i = 0; status == PR_NOTFOUND && i < sizeof forms / sizeof *forms; i++) {
		if ((forms[i].need_detail >= 1 && !has_plus) || (forms[i].need_detail == 2 && detail.len == 0))
			continue;
		args[0] = form_key(call, &forms[i], user, address->domain);
		status = routes_lookup(call, routes->virtusertable, args[0], value_out);
	}
	return status;
}

static bool is_word(struct pr_str text)
{
	return pr_str_find(text, ' ') == text.len;
}

/* "nouser 550 text": the word in front is sendmail's name of an exit code; "5.7.0:550 text" has none. */
static void parse_virtual_error(struct pr_str value, struct refusal *refusal_out)
{
	size_t blank = pr_str_find(value, ' ');

	if (blank < value.len && pr_str_find(pr_str_slice(value, 0, blank), ':') == blank && is_word(pr_str_slice(value, 0, blank)))
		value = pr_str_trim(pr_str_slice(value, blank, value.len));
	routes_parse_error(value, refusal_out);
}

enum pr_status routes_virtual(struct pr_call *call, const struct canonical *address, struct pr_str *address_out,
                              struct refusal *refusal_out)
{
	struct pr_str value = PR_NONE, args[4];
	enum pr_status status = find(call, address, &value, args);

	if (status == PR_TEMPFAIL) {
		*refusal_out = (struct refusal){ .code = 451, .enhanced = PR_STR("4.3.0"), .text = PR_STR("Temporary lookup failure") };
		return PR_TEMPFAIL;
	}
	if (status != PR_OK)
		return status;
	value = routes_fill(call, value, args, 4);
	if (value.len == 0) {
		*refusal_out = (struct refusal){ .code = 553, .enhanced = PR_STR("5.3.0"), .text = PR_STR("Bad virtual user entry") };
		return PR_PERMFAIL;
	}
	if (pr_str_has_prefix_nocase(value, PR_STR("error:"))) {
		parse_virtual_error(pr_str_slice(value, 6, value.len), refusal_out);
		return refusal_out->code >= 500 ? PR_PERMFAIL : PR_TEMPFAIL;
	}
	*address_out = value;
	return PR_OK;
}
