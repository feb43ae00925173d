/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters are told, the transaction is dropped, the descriptor is closed last so that its number is free only when
 * nothing of the session is left.  The session goes back to the table and its task stays busy: late events find nobody.
 */
#include "kernel/session/close.h"

#include "kernel/log/log.h"
#include "kernel/session/admit.h"
#include "kernel/session/auth.h"
#include "kernel/session/filters.h"
#include "kernel/session/introduce.h"
#include "kernel/session/shown.h"
#include "kernel/session/table.h"
#include "kernel/session/transaction.h"

#include <unistd.h>

static void log_silence(struct session *session, struct bench *bench)
{
	if (session->issued != 0 || session->machine == NULL)
		return;
	struct pr_str client = session_client(session, &bench->arena);
	log_at(6, LOGP_INFO, "NOQUEUE", "%.*s did not issue MAIL/EXPN/VRFY/ETRN during connection to %.*s", PR_PRINT(client),
	    PR_PRINT(session->listener->name));
}

static void free_str(struct pr_str *str)
{
	pr_free((void *)(uintptr_t)str->data);
	*str = PR_NONE;
}

/* Who sends one is broken, or tries to smuggle. */
static void count_bare_line_end(struct session *session, struct bench *bench)
{
	if (session->machine == NULL || !smtp_machine_found_bare_line_end(session->machine))
		return;
	atomic_fetch_add(&session->receiver->counts.bare_line_ends, 1);
	log_at(5, LOGP_NOTICE, "NOQUEUE", "%.*s sent a bare CR or LF in the data", PR_PRINT(session_client(session, &bench->arena)));
}

void session_close(struct session *session, struct bench *bench)
{
	struct receiver *receiver = session->receiver;

	count_bare_line_end(session, bench);
	timer_clear(&receiver->wheel, &session->timer);
	log_silence(session, bench);
	transaction_drop(session, bench);
	filters_close(session, bench);
	auth_close(session, bench);
	forwarded_forget(session);
	shown_end(session);
	smtp_machine_free(session->machine);
	session->machine = NULL;
	pr_text_fini(&session->input);
	admit_end(session);
	atomic_fetch_sub(&session->listener->sessions, 1);
	free_str(&session->name);
	free_str(&session->ptr);
	free_str(&session->address);
	free_str(&session->met);
	free_str(&session->user);
	free_str(&session->quarantine);
	net_stream_close(&session->stream);
	pr_arena_reset(&bench->arena);
	if (table_give(receiver->table, session) == 0 && atomic_load(&receiver->leaving) != 0) {
		uint64_t one = 1;
		if (write(receiver->attention_fd, &one, sizeof one) < 0)
			return; /* the main thread looks every second anyway */
	}
}
