/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sentence is sendmail's: "Cannot open /etc/mail/list: Group writable file".
 */
#include "kernel/config/rights.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>

bool rights_may_read(const struct options *options, uint32_t kind, const char *path, struct pr_text *why)
{
	uint32_t flags = pr_safe_flags((enum pr_safe_kind)kind, options->dont_blame);
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
