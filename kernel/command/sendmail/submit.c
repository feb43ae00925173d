/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Read everything first, then offer it: only a message that is whole in our hands can be given to the next best place
 * when the first one fails in the middle.
 */
#include "kernel/command/sendmail/submit.h"

#include "kernel/command/sendmail/dialogue.h"
#include "kernel/command/sendmail/places.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/address.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct who {
	char login[256];
	char home[4096];
	char full_name[512];
};

static void copy(char *out, size_t room, const char *text)
{
	size_t len = strlen(text);

	len = len < room ? len : room - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

/* The GECOS field up to its first comma; & stands for the login name with a capital (finger's old rule). */
static void gecos_name(const char *gecos, const char *login, char *out, size_t room)
{
	size_t at = 0;

	for (; *gecos != '\0' && *gecos != ',' && at + 1 < room; gecos++) {
		if (*gecos != '&') {
			out[at++] = *gecos;
			continue;
		}
		for (const char *letter = login; *letter != '\0' && at + 1 < room; letter++)
			out[at++] = letter == login ? (char)toupper((unsigned char)*letter) : *letter;
	}
	out[at] = '\0';
}

static void find_who(struct who *who)
{
	const struct passwd *entry = getpwuid(getuid());
	struct pr_text number;

	*who = (struct who){"", "", ""};
	if (entry != NULL) {
		copy(who->login, sizeof who->login, entry->pw_name);
		copy(who->home, sizeof who->home, entry->pw_dir);
		gecos_name(entry->pw_gecos, entry->pw_name, who->full_name, sizeof who->full_name);
		return;
	}
	pr_text_init(&number, 32);
	pr_text_addf(&number, "%lu", (unsigned long)getuid());
	copy(who->login, sizeof who->login, number.data);
	copy(who->home, sizeof who->home, "/tmp");
	pr_text_fini(&number);
}

static int usage(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return EX_USAGE;
}

static bool has_byte_below(struct pr_str text, unsigned char least)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < least || text.data[i] == 127)
			return true;
	return false;
}

/* The envelope sender: one mailbox, or nothing at all for <>. */
static int find_sender(
    const struct arguments *arguments, const struct who *who, struct pr_arena *arena, struct pr_str *sender_out)
{
	struct pr_str given = pr_str(arguments->sender), address = PR_NONE, why = PR_NONE;

	if (given.data == NULL) {
		*sender_out = pr_arena_copy(arena, pr_str(who->login));
		return EX_OK;
	}
	given = pr_str_trim(given);
	if (given.len == 0 || pr_str_equal(given, PR_STR("<>"))) {
		*sender_out = PR_STR("");
		return EX_OK;
	}
	if (has_byte_below(given, ' '))
		return usage("Control character in sender address");
	if (pr_address_next(&given, false, arena, &address, &why) == PR_OK) {
		*sender_out = pr_address_inner(address);
		return pr_str_find(*sender_out, '>') == sender_out->len ? EX_OK : usage("Sender address is not usable");
	}
	fprintf(stderr, "Sender address is not usable: %.*s\n",
	    PR_PRINT(why.data != NULL ? why : PR_STR("cannot be parsed")));
	return EX_USAGE;
}

/* A message without From: takes along its author's name; the daemon makes "From: Joe Doe <joe@host>" of it, because
 * only the daemon knows what this host is called. */
static void add_full_name(const struct arguments *arguments, const struct who *who, struct message *message)
{
	const char *environment = getenv("NAME");
	const char *name = arguments->full_name;

	if (name == NULL && arguments->sender == NULL)
		name = environment != NULL && environment[0] != '\0' ? environment : who->full_name;
	if (name == NULL || name[0] == '\0' || arguments->gateway || message_has_field(message, PR_STR("From")) ||
	    message_has_field(message, PR_STR("Full-Name")))
		return;
	pr_text_add_c(&message->header, "Full-Name: ");
	for (size_t i = 0; name[i] != '\0' && i < 200; i++)
		pr_text_add_byte(&message->header, (unsigned char)name[i] < ' ' || name[i] == 127 ? ' ' : name[i]);
	pr_text_add_byte(&message->header, '\n');
}

static void print_lines(const struct pr_text *text)
{
	if (text->len > 0)
		fprintf(stderr, "%s%s", text->data, text->data[text->len - 1] == '\n' ? "" : "\n");
}

static int argv_recipients(const struct arguments *arguments, struct recipients *recipients)
{
	struct pr_text error;
	int worst = EX_OK;

	pr_text_init(&error, 65536);
	for (size_t i = 0; i < arguments->address_count; i++) {
		int status = recipients_add_list(recipients, pr_str(arguments->addresses[i]), true,
		    arguments->from_header ? RECIPIENT_EXCLUDED : RECIPIENT_WAITING, &error);
		worst = status != EX_OK ? status : worst;
	}
	print_lines(&error);
	pr_text_fini(&error);
	return worst;
}

static int header_recipients(struct submission *submission)
{
	struct pr_text error;

	pr_text_init(&error, 65536);
	int status = recipients_add_header(submission->recipients, submission->message, &error);
	message_drop_bcc(submission->message);
	print_lines(&error);
	pr_text_fini(&error);
	return status;
}

static void keep_dead_letter(const struct submission *submission, const char *home)
{
	struct pr_text said;

	pr_text_init(&said, 8192);
	dead_letter_write(submission, home, &said);
	fprintf(stderr, "%s/dead.letter... %s\n", home, said.data);
	pr_text_fini(&said);
}

static void traced_connect(struct submission *submission)
{
	traced_bytes(&submission->trace, "===", PR_STR("CONNECT "));
	traced_line(&submission->trace, "===", pr_str(submission->place));
}

/* The daemon, else the drop directory, else a clear word and dead.letter. */
static int hand_over(struct submission *submission, const struct places *places, const char *home)
{
	struct pr_text error;
	int fd, status = EX_OK;

	submission->place = places->submit_socket;
	told_connecting(submission);
	if (dialogue_connect(places->submit_socket, &fd)) {
		traced_connect(submission);
		dialogue_run(submission, fd);
		close(fd);
	} else {
		told_deferred(submission, errno);
	}
	if (recipients_with_fate(submission->recipients, RECIPIENT_WAITING) == 0)
		return EX_OK;
	pr_text_init(&error, 4096);
	if (drop_write(submission, places->drop_directory, &error)) {
		if (submission->verbose)
			printf("queued in %s\n", places->drop_directory);
	} else {
		fprintf(stderr, "The message cannot be queued: no daemon takes it at %s, and %s\n",
		    places->submit_socket, error.data);
		keep_dead_letter(submission, home);
		status = EX_TEMPFAIL;
	}
	pr_text_fini(&error);
	return status;
}

static int offer(struct submission *submission, const struct arguments *arguments, const struct who *who,
    const struct places *places)
{
	size_t all = recipients_with_fate(submission->recipients, RECIPIENT_WAITING);

	int status = hand_over(submission, places, who->home);
	print_lines(submission->complaints);
	if (status == EX_OK && recipients_with_fate(submission->recipients, RECIPIENT_REFUSED) == all)
		keep_dead_letter(submission, who->home);
	if (status != EX_OK)
		return status;
	return arguments->error_mode == 'e' ? EX_OK : submission->exit_status;
}

static int read_and_offer(struct submission *submission, const struct arguments *arguments, const struct who *who,
    const struct places *places)
{
	struct pr_text error;
	int bad_header = EX_OK;

	pr_text_init(&error, 1000);
	int status = message_read(submission->message, STDIN_FILENO, &error);
	print_lines(&error);
	pr_text_fini(&error);
	if (status != EX_OK)
		return status;
	traced_message(&submission->trace, TRACED_HEARD, submission->message);
	traced_line(&submission->trace, TRACED_HEARD, PR_STR("[EOF]"));
	if (arguments->from_header) {
		bad_header = header_recipients(submission);
		if (recipients_with_fate(submission->recipients, RECIPIENT_WAITING) == 0) {
			fprintf(stderr, "No recipient addresses found in header\n");
			return bad_header;
		}
	}
	add_full_name(arguments, who, submission->message);
	status = offer(submission, arguments, who, places);
	return status != EX_OK ? status : bad_header;
}

static int with_envelope(const struct arguments *arguments, struct submission *submission, const struct who *who,
    const struct places *places)
{
	int bad_argument = argv_recipients(arguments, submission->recipients);

	if (!arguments->from_header && recipients_with_fate(submission->recipients, RECIPIENT_WAITING) == 0)
		return bad_argument != EX_OK ? bad_argument : usage("Recipient names must be specified");
	if (!traced_open(&submission->trace, arguments->trace)) {
		fprintf(stderr, "cannot open %s: %s\n", arguments->trace, strerror(errno));
		return EX_CANTCREAT;
	}
	int status = read_and_offer(submission, arguments, who, places);
	traced_close(&submission->trace);
	return status != EX_OK ? status : bad_argument;
}

/* -v, which wants to see what comes of it, whatever -od says; else that; 0: the daemon's. */
static int find_mode(const struct arguments *arguments, char *mode_out)
{
	struct pr_str given = arguments_override(arguments, PR_STR("DeliveryMode"));

	*mode_out = arguments->verbose ? 'v' : '\0';
	if (given.data == NULL)
		return EX_OK;
	char letter = given.len > 0 ? (char)tolower((unsigned char)given.data[0]) : 'i';
	if (!arguments->verbose)
		*mode_out = letter;
	if (letter != '\0' && strchr("ibqd", letter) != NULL)
		return EX_OK;
	fprintf(stderr, "Unknown delivery mode %.*s\n", PR_PRINT(given));
	return EX_USAGE;
}

static int check_overrides(const struct arguments *arguments)
{
	struct pr_text error;

	pr_text_init(&error, 1000);
	bool good = overrides_check(arguments, &error);
	if (!good)
		fprintf(stderr, "%s\n", error.data);
	pr_text_fini(&error);
	return good ? EX_OK : EX_SOFTWARE;
}

int submit_main(const struct arguments *arguments)
{
	struct places places;
	struct who who;
	struct message message;
	struct recipients recipients;
	struct pr_arena arena;
	struct pr_text error, complaints;
	struct submission submission = {.message = &message,
	    .recipients = &recipients,
	    .body = arguments->body,
	    .notify = arguments->notify,
	    .ret = arguments->ret,
	    .envelope_id = arguments->envelope_id,
	    .verbose = arguments->verbose,
	    .complaints = &complaints};

	int status = check_overrides(arguments);
	if (status != EX_OK)
		return status;
	if (!arguments->from_header && arguments->address_count == 0)
		return usage("Recipient names must be specified");
	status = find_mode(arguments, &submission.delivery_mode);
	if (status != EX_OK)
		return status;
	message_init(&message, arguments->ignore_dots);
	recipients_init(&recipients);
	pr_arena_init(&arena, 65536);
	pr_text_init(&error, 4096);
	pr_text_init(&complaints, 1u << 20);
	find_who(&who);
	status = places_find(arguments->config, &places, &error);
	print_lines(&error);
	if (status == EX_OK)
		status = find_sender(arguments, &who, &arena, &submission.sender);
	if (status == EX_OK)
		status = with_envelope(arguments, &submission, &who, &places);
	pr_text_fini(&error);
	pr_text_fini(&complaints);
	pr_arena_fini(&arena);
	recipients_fini(&recipients);
	message_fini(&message);
	return status;
}
