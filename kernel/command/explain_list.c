/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of addresses, read a line at a time: it may have more of them than fit into memory.  A line that is too long is told and left out,
 * so that the rest is still of use.
 */
#include "kernel/command/explain.h"

#include <postrider/address.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define ADDRESS_MAX 2048

bool explain_address(struct pr_str word, struct pr_str *address_out)
{
	struct pr_str address = pr_str_trim(pr_address_inner(pr_str_trim(word)));

	if (address.len == 0 || address.len > ADDRESS_MAX || memchr(address.data, '\0', address.len) != NULL)
		return false;
	*address_out = address;
	return true;
}

struct pr_str explain_why(struct pr_str map, struct pr_str reason)
{
	size_t before = sizeof "map " - 1, after = before + map.len;

	if (reason.len > after && pr_str_has_prefix_nocase(reason, PR_STR("map ")) && pr_str_equal(pr_str_slice(reason, before, after), map) &&
	    reason.data[after] == ':')
		return pr_str_trim(pr_str_slice(reason, after + 1, reason.len));
	return reason;
}

static bool is_directory(FILE *file)
{
	struct stat info;

	return fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode);
}

bool explain_list_open(struct explain_list *list, const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

	*list = (struct explain_list){.name = name, .file = file};
	if (file != NULL && is_directory(file)) {
		if (file != stdin)
			fclose(file);
		file = NULL;
		errno = EISDIR;
	}
	if (file == NULL) {
		fprintf(stderr, "%s: cannot open: %s\n", name, strerror(errno));
		return false;
	}
	pr_text_init(&list->line, ADDRESS_MAX + 16);
	return true;
}

/* False at the end of the file. */
static bool read_line(struct explain_list *list)
{
	int byte;

	pr_text_clear(&list->line);
	while ((byte = getc_unlocked(list->file)) != EOF && byte != '\n')
		pr_text_add_byte(&list->line, (char)byte); /* what is too much is noted as overflow */
	if (byte == EOF && list->line.len == 0)
		return false;
	list->number++;
	return true;
}

bool explain_list_next(struct explain_list *list, struct pr_str *address_out)
{
	while (read_line(list)) {
		struct pr_str line = pr_str_trim(pr_text_str(&list->line));
		if (!list->line.overflow && (line.len == 0 || line.data[0] == '#'))
			continue;
		if (!list->line.overflow && explain_address(line, address_out))
			return true;
		list->bad++;
		fprintf(stderr, "%s:%zu: %s, left out\n", strcmp(list->name, "-") == 0 ? "standard input" : list->name, list->number,
		    list->line.overflow || line.len > ADDRESS_MAX ? "longer than any address" : "no address");
	}
	return false;
}

int explain_list_close(struct explain_list *list)
{
	int status = list->bad > 0 ? EX_DATAERR : EX_OK;

	if (ferror((FILE *)list->file)) {
		fprintf(stderr, "%s: cannot read: %s\n", list->name, strerror(errno));
		status = EX_IOERR;
	}
	if (list->file != stdin)
		fclose(list->file);
	pr_text_fini(&list->line);
	return status;
}
