/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the file and finds one line.
 * It is read when a map is opened: which services there are is configuration.
 */
#include "services.h"

#include <postrider/file.h>
#include <postrider/mapflags.h>

#include <string.h>

#define FILE_MAX 65536

static struct pr_str usual(struct pr_str what)
{
	return pr_str_equal_nocase(what, PR_STR("hosts")) ? PR_STR("dns nis files") : PR_STR("files");
}

static struct pr_str find_line(struct pr_str bytes, struct pr_str what)
{
	struct pr_str line, word;

	while (pr_str_next(&bytes, '\n', &line)) {
		line = pr_str_slice(line, 0, pr_str_find(line, '#'));
		if (pr_map_word(&line, &word) && pr_str_equal_nocase(word, what))
			return pr_str_trim(line);
	}
	return PR_NONE;
}

enum pr_status services_find(struct pr_call *call, struct pr_str path, struct pr_str what, struct pr_str *services_out)
{
	struct pr_text bytes, why;
	struct pr_str found;

	if (path.len == 0)
		path = call->host->option(call, PR_STR("ServiceSwitchFile"));
	if (path.len == 0)
		path = PR_STR(SERVICES_DEFAULT_FILE);
	path = pr_arena_copy(call->arena, path);
	if (path.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for a name");
	pr_text_init(&bytes, FILE_MAX);
	pr_text_init(&why, 1000);
	enum pr_status status = pr_file_read(path.data, FILE_MAX, &bytes, &why);
	if (status != PR_OK && status != PR_NOTFOUND) {
		status = pr_fail(call, status, "%.*s", PR_PRINT(pr_text_str(&why)));
	} else {
		found = find_line(pr_text_str(&bytes), what);
		*services_out = pr_arena_copy(call->arena, found.len > 0 ? found : usual(what));
		status = services_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the services");
	}
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	return status;
}
