/* SPDX-License-Identifier: BSD-2-Clause
 *
 * $={cert_altnames}: the one class whose members change with the host that is at the other end (SetCertAltnames).
 * The kernel has them as a macro of words; they become a set only when a rule asks, and stay one until the macro is another.
 */
#include "cf.h"

const struct cf_phrases *cf_altnames(struct cf_run *run)
{
	struct cf_thread *thread = run->thread;
	struct pr_str names = run->call->host->macro(run->call, PR_STR("cert_altnames")), word;

	if (names.data == NULL)
		names = PR_STR("");
	if (pr_str_equal(names, pr_text_str(&thread->altnames_text)))
		return &thread->altnames;
	cf_phrases_fini(&thread->altnames);
	pr_text_clear(&thread->altnames_text);
	pr_text_add_str(&thread->altnames_text, names);
	while (pr_str_word(&names, " ", &word))
		cf_phrases_add(&thread->altnames, word);
	return &thread->altnames;
}
