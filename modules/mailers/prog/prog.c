/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail for "|program args" of an alias, run as sendmail's prog mailer does (sh -c), and mailers that are programs.  A helper runs them, which
 * is DefaultUser, or the account that the mail is for.
 * A command is the administrator's own text; what comes from a message goes into the environment, or is one word of an argument list.
 */
#include "prog.h"

#include "../local/unix_from.h"

#include <postrider/address.h>

#include <string.h>

#define HEADER_MAX (4u << 20)

static const struct pr_option options[] = {
    PR_OPTION(struct prog, shell, "shell", PR_OPTION_PATH, 0, "/bin/sh", "runs the command: SHELL -c COMMAND"),
    PR_OPTION(struct prog, path, "path", PR_OPTION_PATH, 0, NULL, "the program, in the place of shell and command"),
    PR_OPTION(struct prog, argv, "argv", PR_OPTION_STRING, 0, NULL, "its name and arguments, with $u, $h, $g and other macros"),
    PR_OPTION(struct prog, owner, "owner", PR_OPTION_BOOL, 0, "false", "it runs as the account that the recipient names"),
    PR_OPTION(struct prog, user, "user", PR_OPTION_STRING, 0, NULL, "it runs as this account, or USER:GROUP; default: DefaultUser"),
    PR_OPTION(struct prog, directory, "directory", PR_OPTION_STRING, 0, NULL, "it runs in the first of \"~:/srv:/\" that can be entered; default: the home directory"),
    PR_OPTION(struct prog, root, "root", PR_OPTION_PATH, 0, NULL, "it sees nothing above this directory (chroot)"),
    PR_OPTION(struct prog, niceness, "niceness", PR_OPTION_INT, 0, "0", "added to that of the daemon; it can only wait longer, not less"),
    PR_OPTION(struct prog, sender_flag, "sender_flag", PR_OPTION_STRING, 0, NULL, "-f or -r: an argument in front of the sender"),
    PR_OPTION(struct prog, strip_quotes, "strip_quotes", PR_OPTION_BOOL, 0, "false", "quotes are taken off $u"),
    PR_OPTION(struct prog, timeout, "timeout", PR_OPTION_TIME, 0, "10m", "then the program and its children are killed"),
    PR_OPTION(struct prog, from_line, "from_line", PR_OPTION_BOOL, 0, "true", "a UNIX From line before the header"),
    PR_OPTION(struct prog, uucp_from, "uucp_from", PR_OPTION_BOOL, 0, "false", "the From line of HOST!USER ends in \"remote from HOST\""),
    PR_OPTION_END};

static enum pr_status check(struct pr_call *call)
{
	const struct prog *prog = call->instance;

	if ((prog->path.len > 0) != (prog->argv.len > 0))
		return pr_fail(call, PR_MISUSE, "path and argv belong together");
	if (prog->path.len > 0 && !prog_has_user(prog->argv))
		return pr_fail(call, PR_MISUSE, "argv \"%.*s\" holds no $u: a program that speaks SMTP or LMTP is the business of mailer smtp",
		               PR_PRINT(prog->argv));
	if (prog->owner && prog->path.len == 0)
		return pr_fail(call, PR_MISUSE, "owner needs path and argv: a command of an alias has no owner");
	return PR_OK;
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

struct run {
	struct pr_call *call;
	const struct prog *prog;
	const struct pr_destination *destination;
	const struct pr_envelope *envelope;
	struct pr_str header;
	struct pr_body *body;
};

/* "|command" of an alias to SHELL -c COMMAND. */
static enum pr_status command_words(const struct run *run, const struct pr_delivery *result, struct pr_list *argv_out)
{
	struct pr_call *call = run->call;
	struct pr_str command = result->user;
	struct pr_str *words = pr_arena_alloc(call->arena, 3 * sizeof *words);

	if (command.len > 0 && command.data[0] == '|')
		command = pr_str_slice(command, 1, command.len);
	command = pr_arena_copy(call->arena, pr_str_trim(command));
	if (command.len == 0 || words == NULL)
		return pr_fail(call, PR_PERMFAIL, "there is no command");
	words[0] = run->prog->shell;
	words[1] = PR_STR("-c");
	words[2] = command;
	*argv_out = (struct pr_list){words, 3};
	return PR_OK;
}

static void deliver_some(const struct run *run, struct pr_delivery *results, size_t count)
{
	struct pr_call *call = run->call;
	const struct prog *prog = run->prog;
	struct prog_words words = {.call = call, .destination = run->destination, .envelope = run->envelope, .deliveries = results,
	                           .count = count, .strip_quotes = prog->strip_quotes != 0};
	struct pr_str environment[] = {variable(call, "SENDER", pr_address_inner(run->envelope->sender)),
	                               variable(call, "QUEUEID", run->envelope->id)};
	struct pr_local_delivery delivery = {.size = sizeof delivery, .kind = PR_LOCAL_PROGRAM, .envelope = run->envelope,
	                                     .header = run->header, .body = run->body, .environment = {environment, 2},
	                                     .timeout = (uint32_t)prog->timeout, .directories = prog->directory, .root = prog->root,
	                                     .niceness = (int32_t)prog->niceness};
	enum pr_status status = prog_find_account(call, prog->user, prog->owner != 0, results[0].user, &delivery.user);

	if (status == PR_NOTFOUND) {
		results[0].status = PR_PERMFAIL;
		results[0].code = 550;
		results[0].enhanced = PR_STR("5.1.1");
		results[0].reply = PR_STR("User unknown");
		return;
	}
	if (status == PR_OK)
		status = prog->path.len > 0 ? prog_words(&words, prog, &delivery.argv) : command_words(run, &results[0], &delivery.argv);
	if (status == PR_OK)
		status = call->host->local_deliver(call, &delivery);
	for (size_t i = 0; i < count; i++) {
		if (status == PR_OK)
			prog_outcome(call, &results[i], &delivery);
		else
			set_failure(call, &results[i], status);
	}
}

/* "From user  Fri Nov 20 12:32:14 2026 remote from host" for host!user; one without its host is told as any other. */
static void add_from_line(const struct run *run, struct pr_text *header)
{
	struct pr_str sender = pr_address_inner(run->envelope->sender);
	size_t bang = pr_str_find(sender, '!');

	if (!run->prog->uucp_from || bang == sender.len) {
		(void)unix_from_add(run->call, header, run->envelope);
		return;
	}
	struct pr_envelope envelope = *run->envelope;
	envelope.sender = pr_str_slice(sender, bang + 1, sender.len);
	(void)unix_from_add_as(run->call, header, &envelope, PR_STR(UNIX_FROM_USUAL)); /* which rmail understands */
	pr_text_cut(header, header->len - 1);
	pr_text_addf(header, " remote from %.*s\n", PR_PRINT(pr_str_slice(sender, 0, bang)));
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries,
                              size_t count)
{
	const struct prog *prog = call->instance;
	struct run run = {.call = call, .prog = prog, .destination = destination, .envelope = envelope, .body = body};
	struct pr_text header;
	enum pr_status status;

	pr_text_init(&header, HEADER_MAX);
	if (prog->from_line)
		add_from_line(&run, &header);
	status = call->host->header_print(call, envelope, &header);
	run.header = pr_text_str(&header);
	if (status == PR_OK && prog->path.len > 0 && !prog->owner) {
		deliver_some(&run, deliveries, count); /* one program for all, as the kernel gives them with F=m */
	} else {
		for (size_t i = 0; status == PR_OK && i < count; i++)
			deliver_some(&run, &deliveries[i], 1);
	}
	pr_text_fini(&header);
	return status;
}

static const struct pr_mailer_ops ops = {.size = sizeof ops, .default_flags = "lsDFMoqeu9", .deliver = deliver};

PR_MODULE(prog) = {PR_MODULE_HEAD(PR_KIND_MAILER),
                   .flags = PR_CONCURRENT,
                   .instance_size = sizeof(struct prog),
                   .name = "prog",
                   .version = "1.0",
                   .summary = "runs a program, of an alias or as a mailer of its own",
                   .options = options,
                   .check = check,
                   .ops = &ops};
