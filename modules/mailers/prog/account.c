/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose rights a program gets: those of the account that the mailer names, of the one that the recipient names, or DefaultUser's.
 */
#include "prog.h"

enum pr_status prog_find_account(struct pr_call *call, struct pr_str user, bool owner, struct pr_str recipient, struct pr_str *user_out)
{
	uint32_t uid;

	*user_out = user.len > 0 ? user : PR_NONE;
	if (!owner || user.len > 0)
		return PR_OK;
	struct pr_str account = pr_arena_copy(call->arena, recipient);
	enum pr_status status = call->host->user_find(call, account, &uid, NULL);
	if (status == PR_NOTFOUND) { /* "joe+detail" is joe */
		account = pr_arena_copy(call->arena, prog_account(recipient));
		status = call->host->user_find(call, account, &uid, NULL);
	}
	*user_out = account;
	return status;
}
