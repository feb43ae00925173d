/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the end of a program means for its recipients: a table of sysexits, and words for the rest.
 */
#include "prog.h"

/* sysexits.h as mail knows them */
static const struct outcome {
	int32_t exit_status;
	uint32_t status;
	uint32_t code;
	const char *enhanced;
	const char *text;
} outcomes[] = {
    {64, PR_PERMFAIL, 500, "5.0.0", "Command line usage error"},
    {65, PR_PERMFAIL, 501, "5.6.0", "Data format error"},
    {66, PR_PERMFAIL, 550, "5.3.0", "Cannot open input"},
    {67, PR_PERMFAIL, 550, "5.1.1", "User unknown"},
    {68, PR_PERMFAIL, 550, "5.1.2", "Host unknown"},
    {69, PR_PERMFAIL, 554, "5.0.0", "Service unavailable"},
    {70, PR_PERMFAIL, 554, "5.3.0", "Internal error"},
    {71, PR_TEMPFAIL, 451, "4.0.0", "Operating system error"},
    {72, PR_PERMFAIL, 554, "5.3.5", "System file missing"},
    {73, PR_PERMFAIL, 550, "5.0.0", "Can't create output"},
    {74, PR_TEMPFAIL, 451, "4.0.0", "I/O error"},
    {75, PR_TEMPFAIL, 450, "4.0.0", "Deferred"},
    {76, PR_PERMFAIL, 554, "5.5.0", "Remote protocol error"},
    {77, PR_PERMFAIL, 550, "5.0.0", "Insufficient permission"},
    {78, PR_PERMFAIL, 554, "5.3.5", "Local configuration error"},
};

void prog_outcome(struct pr_call *call, struct pr_delivery *result, const struct pr_local_delivery *delivery)
{
	const struct outcome *found = NULL;
	struct pr_str text;

	if (delivery->exit_status == 0) {
		result->status = PR_OK;
		result->enhanced = PR_STR("2.0.0");
		return;
	}
	for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
		if (outcomes[i].exit_status == delivery->exit_status)
			found = &outcomes[i];
	result->status = found != NULL ? found->status : PR_PERMFAIL;
	result->code = found != NULL ? found->code : 554;
	result->enhanced = found != NULL ? pr_str(found->enhanced) : PR_STR("5.3.0");
	if (found != NULL) {
		text = pr_str(found->text);
	} else if (delivery->exit_status < 0) { /* killed: the machine's trouble, not the message's */
		result->status = PR_TEMPFAIL;
		result->code = 451;
		result->enhanced = PR_STR("4.3.0");
		text = pr_arena_printf(call->arena, "mailer died with signal %d", -delivery->exit_status);
	} else {
		text = pr_arena_printf(call->arena, "unknown mailer error %d", delivery->exit_status);
	}
	if (delivery->output.len > 0)
		text = pr_arena_printf(call->arena, "%.*s\n%.*s", PR_PRINT(text), PR_PRINT(delivery->output));
	result->reply = text;
}
