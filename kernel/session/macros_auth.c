/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who the client is, when it has said so and was believed.
 */
#include "kernel/session/auth.h"
#include "kernel/session/macros.h"

static struct pr_str auth_type(struct macro_context *context)
{
	return auth_is_known(context->session) ? context->session->auth->mechanism : PR_NONE;
}

static struct pr_str auth_authen(struct macro_context *context)
{
	return auth_encoded(context->arena, auth_name(context->session));
}

static struct pr_str auth_ssf(struct macro_context *context)
{
	return auth_is_known(context->session) ? pr_arena_printf(context->arena, "%u", context->session->auth->strength) : PR_NONE;
}

/* What AUTH= of MAIL says, whether it is trusted or not. */
static struct pr_str auth_author(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	if (transaction == NULL || pr_str_equal(transaction->author, PR_STR("<>")))
		return transaction == NULL ? PR_NONE : transaction->author;
	return auth_encoded(context->arena, transaction->author);
}

const struct macro_row macro_rows_auth[] = {
    {"auth_authen", auth_authen},
    {"auth_author", auth_author},
    {"auth_ssf", auth_ssf},
    {"auth_type", auth_type},
    {NULL, NULL},
};
