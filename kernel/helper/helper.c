/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One request, one reply, until the courier closes; a program that is spoken with is the last.  What may be done stands on the command line, which the courier cannot write;
 * the rest of this process has no right that the user does not have.
 */
#include "kernel/helper/helper.h"

#include "kernel/helper/delivery.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define ARENA_MAX 65536

static bool take_argument(struct helper_rights *rights, int *channel, const char *name, const char *value)
{
	uint64_t number;

	if (strcmp(name, "--user") == 0)
		rights->user = value;
	else if (strcmp(name, "--home") == 0)
		rights->home = value;
	else if (strcmp(name, "--shell") == 0)
		rights->shell = value;
	else if (strcmp(name, "--channel") == 0)
		*channel = pr_str_number(pr_str(value), 1024, &number) ? (int)number : -1;
	else if (strcmp(name, "--mailbox") == 0 && rights->mailbox_count < HELPER_MAILBOXES_MAX)
		rights->mailboxes[rights->mailbox_count++] = value;
	else if (strcmp(name, "--program") == 0 && rights->program_count < HELPER_PROGRAMS_MAX)
		rights->programs[rights->program_count++] = value;
	else if (strcmp(name, "--rights") == 0) {
		rights->mailbox = strcmp(value, "mailbox") == 0 || strcmp(value, "all") == 0;
		rights->anything = strcmp(value, "default") == 0 || strcmp(value, "all") == 0;
	} else
		return strcmp(name, "--role") == 0;
	return true;
}

static bool take_arguments(int argc, char **argv, struct helper_rights *rights, int *channel)
{
	memset(rights, 0, sizeof *rights);
	for (int i = 1; i < argc; i += 2)
		if (i + 1 >= argc || !take_argument(rights, channel, argv[i], argv[i + 1]))
			return false;
	return rights->user != NULL && rights->home != NULL && rights->home[0] == '/' && *channel >= 0;
}

static bool is_plain_path(struct pr_str path)
{
	struct pr_str rest = path, piece;

	if (path.len < 2 || path.data[0] != '/' || path.data[path.len - 1] == '/')
		return false;
	while (pr_str_next(&rest, '/', &piece))
		if (pr_str_equal(piece, PR_STR("..")) || pr_str_equal(piece, PR_STR(".")))
			return false;
	return true;
}

static bool is_own_mailbox(const struct helper_rights *rights, const char *kind, struct pr_str path)
{
	size_t len = strlen(kind);

	for (size_t i = 0; i < rights->mailbox_count; i++)
		if (strncmp(rights->mailboxes[i], kind, len) == 0 && pr_str_equal(pr_str(rights->mailboxes[i] + len), path))
			return true;
	return false;
}

static bool may_mailbox(const struct helper_rights *rights, const struct helper_request *request, struct pr_str path,
                        struct pr_text *why)
{
	const char *kind = request->kind == PR_LOCAL_MBOX ? "mbox:" : "maildir:";

	if (rights->mailbox && is_plain_path(path) && is_own_mailbox(rights, kind, path))
		return true;
	pr_text_addf(why, "%.*s is not a mailbox of %s's", PR_PRINT(path), rights->user);
	return false;
}

static bool may_anything(const struct helper_rights *rights, const struct helper_request *request, struct pr_str path,
                         struct pr_text *why)
{
	bool program = request->kind != PR_LOCAL_FILE;

	if (program && !rights->anything && rights->mailbox && geteuid() != 0)
		return helper_may_run(rights, request, why);
	if (!rights->anything || geteuid() == 0) {
		pr_text_addf(why, "%s may not run programs or write files", rights->user);
		return false;
	}
	if (program && request->argv.count > 0 && is_plain_path(request->argv.items[0]))
		return true;
	if (!program && is_plain_path(path))
		return true;
	pr_text_add_c(why, program ? "the program is no absolute path" : "the file is no absolute path");
	return false;
}

bool helper_may(const struct helper_rights *rights, const struct helper_request *request, struct pr_text *path_out,
                struct pr_text *why)
{
	struct pr_str path = request->path;

	if (path.len > 2 && path.data[0] == '~' && path.data[1] == '/') {
		pr_text_add_c(path_out, rights->home);
		path = pr_str_slice(path, 1, path.len);
	}
	pr_text_add_str(path_out, path);
	switch (request->kind) {
	case PR_LOCAL_MBOX:
	case PR_LOCAL_MAILDIR:
		return may_mailbox(rights, request, pr_text_str(path_out), why);
	case PR_LOCAL_FILE:
	case PR_LOCAL_PROGRAM:
	case PR_LOCAL_DIALOGUE:
		return may_anything(rights, request, pr_text_str(path_out), why);
	default:
		pr_text_addf(why, "no such kind of delivery: %u", request->kind);
		return false;
	}
}

static enum pr_status deliver(const struct helper_rights *rights, const struct helper_request *request, int fd,
                              struct helper_reply *reply, struct pr_text *output, struct pr_text *why)
{
	enum pr_status status = PR_PERMFAIL;
	struct message message;
	struct pr_text path;

	if (!message_open(fd, request->header_size, request->flags, &message)) {
		pr_text_add_c(why, "there is no message");
		return PR_TEMPFAIL;
	}
	pr_text_init(&path, 4096);
	if (helper_may(rights, request, &path, why)) {
		switch (request->kind) {
		case PR_LOCAL_MBOX:
			status = mbox_deliver(path.data, &message, why);
			break;
		case PR_LOCAL_MAILDIR:
			status = maildir_deliver(path.data, &message, why);
			break;
		case PR_LOCAL_FILE:
			status = file_deliver(path.data, &message, why);
			break;
		default:
			status = program_run(rights, request, &message, reply, output, why);
			break;
		}
	}
	pr_text_fini(&path);
	return status;
}

static enum pr_status begin_dialogue(const struct helper_rights *rights, const struct helper_request *request, struct dialogue **dialogue_out,
                                     int *fd_out, struct pr_text *why)
{
	enum pr_status status = PR_PERMFAIL;
	struct pr_text path;

	pr_text_init(&path, 4096);
	if (helper_may(rights, request, &path, why))
		status = dialogue_start(rights, request, dialogue_out, fd_out, why);
	pr_text_fini(&path);
	return status;
}

static bool serve_one(const struct helper_rights *rights, int channel, const struct channel_message *packet, int fd)
{
	struct helper_request request;
	struct helper_reply reply = {.status = PR_PERMFAIL};
	struct pr_arena arena;
	struct pr_text why, output, answer;
	struct dialogue *dialogue = NULL;
	int socket = -1;

	pr_arena_init(&arena, ARENA_MAX);
	pr_text_init(&why, 1000);
	pr_text_init(&output, HELPER_OUTPUT_MAX);
	pr_text_init(&answer, HELPER_PACKET_MAX);
	bool sound = helper_request_parse((struct pr_str){packet->text, packet->length}, &arena, &request);
	if (sound && request.kind == PR_LOCAL_DIALOGUE)
		reply.status = begin_dialogue(rights, &request, &dialogue, &socket, &why);
	else if (sound)
		reply.status = deliver(rights, &request, fd, &reply, &output, &why);
	else
		pr_text_add_c(&why, "the request makes no sense");
	reply.reason = pr_text_str(&why);
	reply.output = pr_text_str(&output);
	bool done = helper_reply_print(&reply, &answer) &&
	            channel_send(channel, CHANNEL_HELPER, packet->serial, 0, pr_text_str(&answer), socket);
	if (socket >= 0)
		close(socket);
	if (dialogue != NULL)
		dialogue_watch(dialogue);
	pr_text_fini(&answer);
	pr_text_fini(&output);
	pr_text_fini(&why);
	pr_arena_fini(&arena);
	return done;
}

int helper_main(int argc, char **argv)
{
	struct helper_rights rights;
	struct channel_message *packet;
	int channel = -1, fd = -1;
	bool going_on = true;

	if (!take_arguments(argc, argv, &rights, &channel))
		return EX_USAGE;
	rights.channel = channel;
	(void)signal(SIGPIPE, SIG_IGN);
	packet = pr_alloc(sizeof *packet);
	while (going_on) {
		int got = channel_receive(channel, packet, &fd, -1);
		going_on = got > 0 && serve_one(&rights, channel, packet, fd);
		if (fd >= 0)
			close(fd);
	}
	pr_free(packet);
	return EX_OK;
}
