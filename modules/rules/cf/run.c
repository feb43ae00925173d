/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One piece of work for the engine, and where its complaints go: on the console they are printed as they come, elsewhere the last one becomes
 * the reason of the call.
 */
#include "cf.h"

#include <stdarg.h>

void cf_thread_init(struct cf_thread *thread)
{
	pr_text_init(&thread->frame, CF_CODE_MAX);
	pr_text_init(&thread->framed, CF_CODE_MAX);
	pr_text_init(&thread->expanded, CF_CODE_MAX);
	pr_text_init(&thread->altnames_text, CF_CODE_MAX);
	thread->is_ready = true;
}

void cf_thread_fini(struct cf_thread *thread)
{
	for (size_t i = 0; i < sizeof thread->levels / sizeof thread->levels[0]; i++) {
		cf_tokens_fini(&thread->levels[i].work);
		cf_tokens_fini(&thread->levels[i].spare);
	}
	cf_tokens_fini(&thread->address);
	cf_tokens_fini(&thread->user);
	pr_text_fini(&thread->frame);
	pr_text_fini(&thread->framed);
	pr_text_fini(&thread->expanded);
	pr_text_fini(&thread->altnames_text);
	cf_phrases_fini(&thread->altnames);
	cf_overlay_fini(&thread->overlay);
}

void cf_run_init(struct cf_run *run, struct pr_call *call)
{
	struct cf_thread *thread = call->thread;
	struct cf_session *session = call->session;

	*run = (struct cf_run){ .cf = call->instance, .call = call, .thread = thread, .about = PR_STR("") };
	if (!thread->is_ready)
		cf_thread_init(thread);
	if (session == NULL) {
		run->overlay = &thread->overlay;
	} else {
		run->overlay = session->has_begun ? &session->transaction : &session->connection;
		run->below = session->has_begun ? &session->connection : NULL;
	}
}

void cf_transaction_begin(struct pr_call *call)
{
	struct cf_session *session = call->session;

	if (session != NULL)
		session->has_begun = true;
}

void cf_transaction_close(struct pr_call *call)
{
	struct cf_session *session = call->session;

	if (session != NULL)
		cf_overlay_clear(&session->transaction);
}

void cf_run_begin(struct cf_run *run, struct pr_call *call)
{
	cf_run_init(run, call);
	if (call->session == NULL)
		cf_overlay_clear(run->overlay);
}

void cf_run_type(struct cf_run *run, const char *type)
{
	if (run->trace != NULL || run->cf->type_macro == CF_NAME_NONE)
		return;
	if (type != NULL)
		cf_overlay_set(run->overlay, run->cf->type_macro, pr_str(type));
	else
		cf_overlay_unset(run->overlay, run->cf->type_macro);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Text behind "553 5.1.3 ". */
static struct pr_str behind_codes(struct pr_str text)
{
	size_t at = 4;

	if (text.len < 4 || !is_digit(text.data[0]) || !is_digit(text.data[1]) || !is_digit(text.data[2]) || text.data[3] != ' ')
		return text;
	if (text.len > 9 && is_digit(text.data[4]) && text.data[5] == '.' && is_digit(text.data[6])) {
		while (at < text.len && (is_digit(text.data[at]) || text.data[at] == '.'))
			at++;
		at = at < text.len && text.data[at] == ' ' ? at + 1 : 4;
	}
	return pr_str_slice(text, at, text.len);
}

#define SHOWN_MAX 203u /* of an address in a complaint */

/* The address, its middle left out when it is long. */
static void add_shortened(struct pr_text *out, struct pr_str about)
{
	const size_t half = (SHOWN_MAX - 3) / 2;

	if (about.len > SHOWN_MAX)
		pr_text_addf(out, "%.*s...%.*s... ", (int)half, about.data, (int)half, about.data + about.len - half);
	else
		pr_text_addf(out, "%.*s... ", PR_PRINT(about));
}

void cf_run_fail(struct cf_run *run, uint32_t status)
{
	if (run->trace != NULL && run->cf->status == 0)
		run->cf->status = status;
}

void cf_run_say(struct cf_run *run, bool is_about, struct pr_str text)
{
	run->complaint = text;
	if (run->trace == NULL)
		return;
	size_t from = run->trace->len;
	if (is_about && run->about.len > 0)
		add_shortened(run->trace, run->about);
	pr_text_addf(run->trace, "%.*s\n", PR_PRINT(behind_codes(text)));
	for (size_t i = from; i < run->trace->len; i++) /* messages have seven bits */
		run->trace->data[i] = (char)(run->trace->data[i] & 0x7f);
}

void cf_run_complain(struct cf_run *run, bool is_about, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	struct pr_str text = pr_arena_vprintf(run->call->arena, format, arguments);
	va_end(arguments);
	if (!is_about && !pr_str_has_prefix_nocase(text, PR_STR("501 ")) && !pr_str_has_prefix_nocase(text, PR_STR("553 "))) /* those are about what was typed */
		cf_run_fail(run, CF_SOFTWARE);
	cf_run_say(run, is_about, text);
}
