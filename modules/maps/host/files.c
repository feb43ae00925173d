/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the hosts file line by line, each time it is asked: it is short, and what was found is remembered by who asks.
 * Addresses are compared as numbers, because ::1 has many spellings.
 */
#include "files.h"

#include <postrider/file.h>
#include <postrider/mapflags.h>

#include <arpa/inet.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)

struct address {
	int family;
	unsigned char bytes[16];
};

static bool parse_address(struct pr_str text, struct address *address)
{
	char copy[64];

	memset(address, 0, sizeof *address);
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	address->family = AF_INET;
	if (inet_pton(AF_INET, copy, address->bytes) == 1)
		return true;
	address->family = AF_INET6;
	return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

/* The names of one line; false when it has no host. */
static bool take_line(struct pr_str line, struct pr_str *address_out, struct pr_str *names_out)
{
	line = pr_str_slice(line, 0, pr_str_find(line, '#'));
	if (!pr_map_word(&line, address_out))
		return false;
	*names_out = pr_str_trim(line);
	return names_out->len > 0;
}

static bool has_dot(struct pr_str name)
{
	return pr_str_find(name, '.') < name.len;
}

/* Is one of the names `name` or `shortened`?  *best_out: the name to be called by. */
static bool line_has(struct pr_str names, struct pr_str name, struct pr_str shortened, struct pr_str *best_out)
{
	struct pr_str word;
	bool found = false;

	*best_out = PR_NONE;
	while (pr_map_word(&names, &word)) {
		if (best_out->data == NULL || (!has_dot(*best_out) && has_dot(word)))
			*best_out = word;
		found |= pr_str_equal_nocase(word, name) || (shortened.len > 0 && pr_str_equal_nocase(word, shortened));
	}
	return found;
}

/* "mail" of mail.example.org, at home in example.org. */
static struct pr_str shorten(struct pr_str name, struct pr_str domain)
{
	if (domain.len == 0 || name.len <= domain.len + 1 || name.data[name.len - domain.len - 1] != '.' ||
	    !pr_str_has_suffix_nocase(name, domain))
		return PR_NONE;
	return pr_str_slice(name, 0, name.len - domain.len - 1);
}

static enum pr_status read_hosts(struct pr_call *call, struct pr_str path, struct pr_text *bytes)
{
	struct pr_text why;
	struct pr_str name = pr_arena_copy(call->arena, path);

	pr_text_init(bytes, FILE_MAX);
	pr_text_init(&why, 1000);
	enum pr_status status = name.data == NULL ? PR_TEMPFAIL : pr_file_read(name.data, FILE_MAX, bytes, &why);
	if (status != PR_OK && status != PR_NOTFOUND)
		status = pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(pr_text_str(&why)));
	pr_text_fini(&why);
	return status;
}

enum pr_status files_canonical(struct pr_call *call, struct pr_str path, struct pr_str domain, struct pr_str name, struct pr_str *full_out)
{
	struct pr_text bytes;
	struct pr_str rest, line, address, names, best = PR_NONE, shortened = shorten(name, domain);
	enum pr_status status = read_hosts(call, path, &bytes);
	bool found = false;

	for (rest = pr_text_str(&bytes); status == PR_OK && !found && pr_str_next(&rest, '\n', &line);)
		found = take_line(line, &address, &names) && line_has(names, name, shortened, &best);
	if (found && !has_dot(best) && domain.len > 0)
		*full_out = pr_arena_printf(call->arena, "%.*s.%.*s", PR_PRINT(best), PR_PRINT(domain));
	else if (found)
		*full_out = pr_arena_copy(call->arena, best);
	pr_text_fini(&bytes);
	if (status != PR_OK || !found)
		return status == PR_TEMPFAIL ? status : PR_NOTFOUND;
	return full_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the name");
}

enum pr_status files_name(struct pr_call *call, struct pr_str path, struct pr_str wanted, struct pr_str *name_out)
{
	struct pr_text bytes;
	struct pr_str rest, line, text, names, word;
	struct address address, given;
	enum pr_status status = parse_address(wanted, &given) ? read_hosts(call, path, &bytes) : PR_MISUSE;

	if (status == PR_MISUSE)
		return PR_NOTFOUND;
	*name_out = PR_NONE;
	for (rest = pr_text_str(&bytes); status == PR_OK && name_out->data == NULL && pr_str_next(&rest, '\n', &line);)
		if (take_line(line, &text, &names) && parse_address(text, &address) && memcmp(&address, &given, sizeof given) == 0 &&
		    pr_map_word(&names, &word))
			*name_out = pr_arena_copy(call->arena, word);
	pr_text_fini(&bytes);
	if (status == PR_TEMPFAIL)
		return status;
	return name_out->data != NULL ? PR_OK : PR_NOTFOUND;
}
