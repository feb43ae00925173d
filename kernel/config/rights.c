/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sentence is sendmail's: "Cannot open /etc/mail/list: Group writable file".
 */
#include "kernel/config/rights.h"

#include "kernel/config/words.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>

static bool may_read(const char *path, uint32_t flags, struct pr_text *why)
{
	struct pr_text words;
	struct stat file;

	if (stat(path, &file) != 0) {
		pr_text_addf(why, "Cannot open %s: %s", path, strerror(errno));
		return false;
	}
	pr_text_init(&words, 1000);
	bool good = pr_file_is_safe(path, (uint32_t)file.st_uid, flags, &words);
	if (!good)
		pr_text_addf(why, "Cannot open %s: %.*s", path, PR_PRINT(pr_text_str(&words)));
	pr_text_fini(&words);
	return good;
}

enum pr_status rights_read_include(const struct options *options, struct pr_arena *arena, struct pr_str path, size_t max, struct pr_str *contents_out,
    struct pr_str *why_out)
{
	struct pr_str name = pr_arena_copy(arena, path);
	enum pr_status status = PR_PERMFAIL;
	struct pr_text text, why;

	pr_text_init(&text, max);
	pr_text_init(&why, 1000);
	if (name.len > 0 && name.data[0] == '/' && may_read(name.data, pr_safe_flags(PR_SAFE_INCLUDE, options->dont_blame), &why))
		status = pr_file_read(name.data, max, &text, &why);
	if (status == PR_OK)
		*contents_out = pr_arena_copy(arena, pr_text_str(&text));
	*why_out = pr_arena_copy(arena, pr_text_str(&why));
	pr_text_fini(&text);
	pr_text_fini(&why);
	return status;
}

enum pr_status rights_read_help(const struct options *options, struct pr_text *text, struct pr_text *why)
{
	bool anywhere = config_words_have(options->dont_blame, PR_STR("HelpFileInUnsafeDirPath"));
	uint32_t flags = anywhere ? PR_SAFE_GROUP_DIRECTORY | PR_SAFE_IN_GROUP | PR_SAFE_IN_ANY : 0;

	return may_read(options->help_file.data, flags, why) ? pr_file_read(options->help_file.data, text->max, text, why) : PR_PERMFAIL;
}
