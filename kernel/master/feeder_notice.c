/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The report on a drop file that was refused, as one more message over the same connection.  It goes to the owner of the file and
 * not to the sender that the file names, who may be anybody; and never when that sender is empty, for then it is a report itself.
 */
#include "kernel/master/feeder.h"

#include <errno.h>
#include <postrider/file.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#define QUOTED_MAX 65536
#define LINE_MAX_BYTES 900
#define ACCOUNT_ROOM 16384

/* The first digit of the reply, 0 when there is none.  Replies of earlier commands have all been read. */
static char answer(int fd)
{
	char line[2048];
	size_t len = 0;

	for (;;) {
		ssize_t got = recv(fd, line + len, 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		len += len + 1 < sizeof line;
		if (line[len - 1] != '\n' || len < 5)
			continue;
		if (line[3] != '-')
			return line[0];
		len = 0;
	}
}

static bool say(int fd, struct pr_text *text, char wanted)
{
	bool good = !text->overflow && pr_write_all(fd, text->data, text->len) && answer(fd) == wanted;

	pr_text_clear(text);
	return good;
}

/* A line of somebody else's: no controls, not too long, its dot stuffed. */
static void quote(struct pr_text *out, struct pr_str line)
{
	line = pr_str_slice(line, 0, LINE_MAX_BYTES);
	if (line.len > 0 && line.data[0] == '.')
		pr_text_add_byte(out, '.');
	for (size_t i = 0; i < line.len; i++) {
		unsigned char byte = (unsigned char)line.data[i];
		pr_text_add_byte(out, byte == '\t' || (byte >= ' ' && byte < 0x7f) ? (char)byte : '?');
	}
	pr_text_add_c(out, "\r\n");
}

static bool is_report(struct pr_str file)
{
	struct pr_str line;

	while (pr_str_next(&file, '\n', &line))
		if (pr_str_has_prefix_nocase(line, PR_STR("MAIL")))
			return memmem(line.data, line.len, "<>", 2) != NULL;
	return true;
}

static void compose(struct pr_text *out, const char *name, struct pr_str file, struct pr_str why)
{
	struct pr_str rest = pr_str_slice(file, 0, QUOTED_MAX), line;

	pr_text_addf(out, "From: Mail Delivery Subsystem <MAILER-DAEMON>\r\nTo: %s\r\n", name);
	pr_text_add_c(out, "Subject: Returned mail: see transcript for details\r\nAuto-Submitted: auto-generated (failure)\r\n\r\n"
	                   "A message that you sent while no mail daemon was running has been refused now:\r\n\r\n");
	for (struct pr_str text = why; pr_str_next(&text, ';', &line);)
		quote(out, pr_str_trim(line));
	pr_text_add_c(out, "\r\n   ----- The message begins like this -----\r\n\r\n");
	while (pr_str_next(&rest, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		quote(out, line);
	}
	pr_text_add_c(out, ".\r\n");
}

bool feeder_notice(int fd, struct pr_str file, uint32_t uid, struct pr_str why)
{
	char space[ACCOUNT_ROOM];
	struct passwd entry, *found = NULL;
	struct pr_text out;

	if (is_report(file))
		return true;
	if (getpwuid_r((uid_t)uid, &entry, space, sizeof space, &found) != 0 || found == NULL)
		return false;
	pr_text_init(&out, 4 * QUOTED_MAX);
	pr_text_add_c(&out, "RSET\r\n");
	bool good = say(fd, &out, '2');
	pr_text_add_c(&out, "MAIL FROM:<>\r\n");
	good = good && say(fd, &out, '2');
	pr_text_addf(&out, "RCPT TO:<%s>\r\n", found->pw_name);
	good = good && say(fd, &out, '2');
	pr_text_add_c(&out, "DATA\r\n");
	good = good && say(fd, &out, '3');
	compose(&out, found->pw_name, file, why);
	good = good && say(fd, &out, '2');
	pr_text_fini(&out);
	return good;
}
