/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One mechanism, DEBUG, with a challenge: the server says "who?", the client answers "name password".
 */
#include <postrider/auth.h>

struct debugauth {
	struct pr_str user;
	struct pr_str password;
	uint32_t broken;
	uint32_t tls_only;
	uint32_t nameless;
};

static const struct pr_option options[] = {
    PR_OPTION(struct debugauth, user, "user", PR_OPTION_STRING, 0, "joe", "who may come in"),
    PR_OPTION(struct debugauth, password, "password", PR_OPTION_STRING, 0, "secret", "and with what word"),
    PR_OPTION(struct debugauth, broken, "broken", PR_OPTION_BOOL, 0, "no", "the password file cannot be read"),
    PR_OPTION(struct debugauth, tls_only, "tls_only", PR_OPTION_BOOL, 0, "no", "offer nothing without TLS"),
    PR_OPTION(struct debugauth, nameless, "nameless", PR_OPTION_BOOL, 0, "no", "forget to say who it is"),
    PR_OPTION_END,
};

static enum pr_status mechanisms(struct pr_call *call, uint32_t flags, struct pr_list *names_out)
{
	static const struct pr_str names[] = {PR_STR_INIT("DEBUG")};
	const struct debugauth *auth = call->instance;

	*names_out = (struct pr_list){names, auth->tls_only != 0 && (flags & PR_AUTH_TLS) == 0 ? 0 : 1};
	return PR_OK;
}

static enum pr_status server_step(struct pr_call *call, struct pr_auth_step *step)
{
	const struct debugauth *auth = call->instance;

	if (auth->broken != 0)
		return pr_fail(call, PR_TEMPFAIL, "told not to read the passwords");
	step->done = 0;
	if (step->input.data == NULL) {
		step->output = PR_STR("who?");
		return PR_OK;
	}
	struct pr_str wanted = pr_arena_printf(call->arena, "%s %s", auth->user.data, auth->password.data);
	if (!pr_str_equal(step->input, wanted))
		return pr_fail(call, PR_NOTFOUND, "wrong name or password");
	step->done = 1;
	step->name = auth->nameless != 0 ? PR_NONE : pr_arena_copy(call->arena, auth->user);
	return PR_OK;
}

static enum pr_status client_step(struct pr_call *call, struct pr_auth_step *step)
{
	const struct debugauth *auth = call->instance;

	step->output = pr_arena_printf(call->arena, "%s %s", auth->user.data, auth->password.data);
	step->done = 1;
	return step->output.data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the answer does not fit");
}

static const struct pr_auth_ops ops = {
    .size = sizeof ops,
    .mechanisms = mechanisms,
    .server_step = server_step,
    .client_step = client_step,
};

PR_MODULE(debugauth) = {
    PR_MODULE_HEAD(PR_KIND_AUTH),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct debugauth),
    .name = "debugauth",
    .version = "1.0",
    .summary = "lets one user in",
    .options = options,
    .ops = &ops,
};
