/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lay-out of an address field on its way out: entries stand behind each other with a comma and a blank between them, and one that would pass
 * column 78 begins a new line with eight blanks, as with sendmail; empty ones are left out.  The field's own folding is gone by that.
 *
 *     struct header_fold fold;
 *     header_fold_init(&fold, PR_STR("To"), most);
 *     size_t at = header_fold_begin(&fold, value);   // the blanks behind the colon; the entries begin at `at`
 *     header_fold_add(&fold, entry); ...             // each without blanks around it
 */
#ifndef KERNEL_MAIL_HEADER_FOLD_H
#define KERNEL_MAIL_HEADER_FOLD_H

#include <postrider/text.h>

struct header_fold {
	struct pr_text out;
	size_t column;
	bool any;
};

void header_fold_init(struct header_fold *fold, struct pr_str name, size_t most);
size_t header_fold_begin(struct header_fold *fold, struct pr_str value);
/* False: `most` bytes are reached. */
bool header_fold_add(struct header_fold *fold, struct pr_str entry);

#endif
