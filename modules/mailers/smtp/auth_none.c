/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Built without Cyrus SASL: no mechanism can be done, and mail for a host at which we have a name waits.
 */
#include "auth.h"

bool auth_open(struct pr_call *call)
{
	(void)call;
	return true;
}

struct auth_dialogue *auth_dialogue_new(struct pr_call *call, const struct smtp_session *session, const struct auth_identity *identity, uint32_t bits)
{
	(void)identity;
	(void)bits;
	call->host->log(call, PR_LOG_ERR, "AUTH=client, relay=%s: this postrider was built without Cyrus SASL", session->server);
	return NULL;
}

void auth_dialogue_free(struct auth_dialogue *dialogue)
{
	(void)dialogue;
}

bool auth_dialogue_start(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str mechanisms, struct pr_str *mechanism_out, struct pr_str *bytes_out)
{
	(void)dialogue;
	(void)call;
	(void)mechanisms;
	(void)mechanism_out;
	(void)bytes_out;
	return false;
}

bool auth_dialogue_step(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	(void)dialogue;
	(void)call;
	(void)challenge;
	(void)bytes_out;
	return false;
}
