/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is it one of these words?  Options such as PrivacyOptions and DontBlameSendmail, in which upper and lower case are the same.
 */
#ifndef KERNEL_CONFIG_WORDS_H
#define KERNEL_CONFIG_WORDS_H

#include <postrider/text.h>

bool config_list_has(const struct pr_list *list, struct pr_str wanted);
/* `words` has blanks or commas between them. */
bool config_words_have(struct pr_str words, struct pr_str wanted);

#endif
