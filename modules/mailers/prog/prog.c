/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail for "|program args" of an alias, run as sendmail's prog mailer does (sh -c), by a helper that is DefaultUser.
 * The text after the bar is the administrator's own; nothing of the message or its addresses is ever put into it - those go into the environment.
 */
#include <postrider/host.h>
#include <postrider/mailer.h>

#include "../local/unix_from.h"

#define HEADER_MAX (4u << 20)

struct prog {
	struct pr_str shell;
	int64_t timeout;
	uint32_t from_line;
};

static const struct pr_option options[] = {
    PR_OPTION(struct prog, shell, "shell", PR_OPTION_PATH, 0, "/bin/sh", "runs the command: SHELL -c COMMAND"),
    PR_OPTION(struct prog, timeout, "timeout", PR_OPTION_TIME, 0, "10m", "then the program and its children are killed"),
    PR_OPTION(struct prog, from_line, "from_line", PR_OPTION_BOOL, 0, "true", "a UNIX From line before the header"),
    PR_OPTION_END};

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

static void set_outcome(struct pr_call *call, struct pr_delivery *result, const struct pr_local_delivery *delivery)
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

static void set_failure(struct pr_call *call, struct pr_delivery *result, enum pr_status status)
{
	bool forever = status == PR_PERMFAIL || status == PR_NOTFOUND;

	result->status = forever ? PR_PERMFAIL : PR_TEMPFAIL;
	result->code = forever ? 550 : 451;
	result->enhanced = forever ? PR_STR("5.3.0") : PR_STR("4.3.0");
	result->reply = pr_arena_copy(call->arena, call->reason);
}

static struct pr_str variable(struct pr_call *call, const char *name, struct pr_str value)
{
	return pr_arena_printf(call->arena, "%s=%.*s", name, PR_PRINT(value));
}

static void deliver_one(struct pr_call *call, const struct pr_envelope *envelope, struct pr_str header,
                        struct pr_body *body, struct pr_delivery *result)
{
	const struct prog *prog = call->instance;
	struct pr_str command = result->user;

	if (command.len > 0 && command.data[0] == '|')
		command = pr_str_slice(command, 1, command.len);
	command = pr_arena_copy(call->arena, pr_str_trim(command));
	struct pr_str argv[] = {prog->shell, PR_STR("-c"), command};
	struct pr_str environment[] = {variable(call, "SENDER", pr_address_inner(envelope->sender)),
	                               variable(call, "QUEUEID", envelope->id)};
	struct pr_local_delivery delivery = {.size = sizeof delivery, .kind = PR_LOCAL_PROGRAM, .envelope = envelope,
	                                     .header = header, .body = body, .argv = {argv, 3},
	                                     .environment = {environment, 2}, .timeout = (uint32_t)prog->timeout};
	if (command.len == 0) {
		set_failure(call, result, pr_fail(call, PR_PERMFAIL, "there is no command"));
		return;
	}
	enum pr_status status = call->host->local_deliver(call, &delivery);
	if (status == PR_OK)
		set_outcome(call, result, &delivery);
	else
		set_failure(call, result, status);
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries,
                              size_t count)
{
	const struct prog *prog = call->instance;
	struct pr_text header;
	enum pr_status status;

	(void)destination;
	pr_text_init(&header, HEADER_MAX);
	if (prog->from_line)
		(void)unix_from_add(&header, envelope);
	status = call->host->header_print(call, envelope, &header);
	for (size_t i = 0; status == PR_OK && i < count; i++)
		deliver_one(call, envelope, pr_text_str(&header), body, &deliveries[i]);
	pr_text_fini(&header);
	return status;
}

static const struct pr_mailer_ops ops = {.size = sizeof ops, .default_flags = "lsDFMoqeu9", .deliver = deliver};

PR_MODULE(prog) = {PR_MODULE_HEAD(PR_KIND_MAILER),
                   .flags = PR_CONCURRENT,
                   .instance_size = sizeof(struct prog),
                   .name = "prog",
                   .version = "1.0",
                   .summary = "runs a program named by an alias",
                   .options = options,
                   .ops = &ops};
