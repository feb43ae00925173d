/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking for a word.
 */
#include "kernel/config/words.h"

bool config_list_has(const struct pr_list *list, struct pr_str wanted)
{
	for (size_t i = 0; i < list->count; i++)
		if (pr_str_equal_nocase(list->items[i], wanted))
			return true;
	return false;
}

bool config_words_have(struct pr_str words, struct pr_str wanted)
{
	struct pr_str word;

	while (pr_str_word(&words, " ,\t", &word))
		if (pr_str_equal_nocase(word, wanted))
			return true;
	return false;
}
