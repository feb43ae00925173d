/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file is read line by line at each question: it is short, in the page cache, and may change.
 * Addresses are compared as numbers, because ::1 has many spellings; one with a zone (fe80::1%eth0) is none that mail could go to.
 */
#include "kernel/net/hosts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOSTS_FILE "/etc/hosts"
#define SWITCH_FILE "/etc/nsswitch.conf"
#define LINE_ROOM 4096

static bool next_word(struct pr_str *rest, struct pr_str *word_out)
{
	return pr_str_word(rest, " \t\r\n", word_out);
}

static struct pr_str without_comment(const char *line)
{
	return (struct pr_str){line, strcspn(line, "#\n")};
}

/* nsswitch.conf ------------------------------------------------------------ */

/* What stands in [brackets] is what to do between two services. */
static bool is_simple_line(struct pr_str rest)
{
	static const char *const wanted[] = {"files", "dns"};
	size_t count = 0;
	struct pr_str word;

	while (next_word(&rest, &word)) {
		if (word.data[0] == '[')
			return false;
		if (count == 2 || !pr_str_equal_nocase(word, pr_str(wanted[count++])))
			return false;
	}
	return count == 2;
}

static bool is_simple;

static void read_switch(void)
{
	FILE *file = fopen(SWITCH_FILE, "re");
	char line[LINE_ROOM];

	is_simple = file == NULL; /* as the C library has it without the file, but for the order */
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		struct pr_str text = pr_str_trim(without_comment(line));
		if (pr_str_has_prefix_nocase(text, PR_STR("hosts:")))
			is_simple = is_simple_line(pr_str_slice(text, 6, text.len));
	}
	if (file != NULL)
		fclose(file);
}

bool hosts_are_simple(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_switch);
	return is_simple;
}

/* hosts -------------------------------------------------------------------- */

struct number {
	int family;
	unsigned char bytes[16];
};

static bool parse_number(struct pr_str text, struct number *number)
{
	char copy[INET6_ADDRSTRLEN + 1];

	memset(number, 0, sizeof *number);
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	number->family = AF_INET;
	if (inet_pton(AF_INET, copy, number->bytes) == 1)
		return true;
	number->family = AF_INET6;
	return inet_pton(AF_INET6, copy, number->bytes) == 1;
}

/* The lines that hold an address and names, one after the other. */
static bool next_host(FILE *file, char *line, size_t room, struct number *number, struct pr_str *names)
{
	struct pr_str word;

	while (fgets(line, (int)room, file) != NULL) {
		*names = without_comment(line);
		if (next_word(names, &word) && parse_number(word, number))
			return true;
	}
	return false;
}

bool hosts_addresses(struct pr_str name, void (*take)(void *context, const char *address), void *context)
{
	FILE *file = fopen(HOSTS_FILE, "re");
	char line[LINE_ROOM], text[INET6_ADDRSTRLEN];
	struct number number;
	struct pr_str names, word;
	bool found = false;

	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	while (file != NULL && next_host(file, line, sizeof line, &number, &names))
		while (next_word(&names, &word)) {
			if (!pr_str_equal_nocase(word, name) || inet_ntop(number.family, number.bytes, text, sizeof text) == NULL)
				continue;
			take(context, text);
			found = true;
		}
	if (file != NULL)
		fclose(file);
	return found;
}

bool hosts_name(struct pr_str address, char *name, size_t room)
{
	FILE *file = fopen(HOSTS_FILE, "re");
	char line[LINE_ROOM];
	struct number wanted, number;
	struct pr_str names, word;
	bool found = false, sound = parse_number(address, &wanted);

	while (file != NULL && sound && !found && next_host(file, line, sizeof line, &number, &names))
		if (memcmp(&wanted, &number, sizeof wanted) == 0 && next_word(&names, &word) && word.len < room) {
			pr_print(name, room, "%.*s", PR_PRINT(word));
			found = true;
		}
	if (file != NULL)
		fclose(file);
	return found;
}
