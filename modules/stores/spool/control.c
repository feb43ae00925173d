/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's hands: hold (hf), release, due now, remove.
 * Each takes the message's lock like a courier does, so it never works on one that is being
 * delivered, and each is one rename from done: hold writes the reason first and changes the name last.
 */
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum pr_status spool_take(struct pr_call *call, const char *kinds, struct pr_str id, char name[SPOOL_ID_MAX + 1], char *kind_out,
                          struct spool_held *held_out)
{
	enum pr_status status = spool_need_role(call, PR_STORE_DELIVERY);
	enum spool_lock lock = SPOOL_GONE;

	if (status != PR_OK)
		return status;
	if (!spool_id_is_valid(id))
		return pr_fail(call, PR_NOTFOUND, "that is no queue id");
	snprintf(name, SPOOL_ID_MAX + 1, "%.*s", PR_PRINT(id));
	/* what is in the journal becomes files first */
	if (journal_hold(call)) {
		journal_tail(spool_of(call));
		if (!journal_file_one(spool_of(call), name))
			return pr_fail(call, PR_TEMPFAIL, "%s is being delivered right now; try again in a moment", name);
	}
	held_out->place = spool_place_of(spool_of(call), kinds, name);
	if (held_out->place == NULL)
		held_out->place = &spool_of(call)->places[0];
	for (; *kinds != '\0' && lock == SPOOL_GONE; kinds++) {
		lock = spool_lock(held_out->place, *kinds, name, held_out);
		*kind_out = *kinds;
	}
	bool claimed = lock == SPOOL_BUSY;
	if (lock == SPOOL_GONE && journal_is_listed(call, name, &claimed) && !claimed)
		return pr_fail(call, PR_TEMPFAIL, "%s has just come and is with the daemon; try again in a moment", name);
	if (claimed)
		return pr_fail(call, PR_TEMPFAIL, "%s is being delivered right now; try again in a moment", name);
	if (lock == SPOOL_BAD)
		return *kind_out == 'Q' ? pr_fail(call, PR_PERMFAIL, "%s is no regular file", name)
		                        : spool_lose(call, held_out->place, *kind_out, name, "the control file is no regular file");
	return spool_lock_status(call, held_out->place, lock, name);
}

static enum pr_status move(struct pr_call *call, struct spool_place *place, char from, char to, const char *name)
{
	int error;

	if (renameat(place->control_fd, spool_name(from, name).text, place->control_fd, spool_name(to, name).text) != 0)
		return spool_fail(call, place, errno, "cannot rename", spool_name(from, name).text);
	error = spool_directory_flush(place);
	return error == 0 ? PR_OK : spool_fail(call, place, error, "cannot fsync the queue directory of", spool_name(to, name).text);
}

/* Takes the control file, lets `change` alter the envelope, writes it back, and gives it the kind it is to have (0: the one it has). */
typedef enum pr_status envelope_change(struct pr_call *call, struct pr_envelope *envelope, const void *context);

static enum pr_status change_envelope(struct pr_call *call, const char *kinds, struct pr_str id, envelope_change *change,
    const void *context, char kind_after)
{
	struct pr_envelope *envelope;
	char name[SPOOL_ID_MAX + 1], kind;
	struct spool_held held;
	enum pr_status status = spool_take(call, kinds, id, name, &kind, &held);

	if (status != PR_OK)
		return status;
	status = spool_load(call, held.place, &held, pr_str(name), &envelope, NULL);
	if (status == PR_OK)
		status = change(call, envelope, context);
	if (status == PR_OK)
		status = spool_rewrite(call, held.place, kind, name, envelope, &held.fd);
	if (status == PR_OK && kind_after != 0 && kind_after != kind)
		status = move(call, held.place, kind, kind_after, name);
	close(held.fd);
	return status;
}

static enum pr_status set_quarantine(struct pr_call *call, struct pr_envelope *envelope, const void *reason)
{
	(void)call;
	envelope->quarantine = *(const struct pr_str *)reason;
	return PR_OK;
}

static enum pr_status forget_tries(struct pr_call *call, struct pr_envelope *envelope, const void *nothing)
{
	(void)call;
	(void)nothing;
	envelope->last_try = 0;
	envelope->tries = 0;
	return PR_OK;
}

static bool drop_recipient(struct pr_envelope *envelope, struct pr_str address)
{
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		if (envelope->recipients[i].state == PR_RECIPIENT_DELIVERED || !pr_str_equal_nocase(envelope->recipients[i].address, address))
			continue;
		envelope->recipients[i] = envelope->recipients[--envelope->recipient_count];
		return true;
	}
	return false;
}

static bool has_open_recipient(const struct pr_envelope *envelope)
{
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (envelope->recipients[i].state != PR_RECIPIENT_DELIVERED)
			return true;
	return false;
}

static enum pr_status change_addresses(struct pr_call *call, struct pr_envelope *envelope, const void *context)
{
	const struct pr_edit *edit = context;
	struct pr_recipient *recipients =
	    pr_arena_alloc(call->arena, (envelope->recipient_count + edit->add.count + 1) * sizeof *recipients);

	if (recipients == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the recipients");
	memcpy(recipients, envelope->recipients, envelope->recipient_count * sizeof *recipients);
	envelope->recipients = recipients;
	for (size_t i = 0; i < edit->remove.count; i++)
		if (!drop_recipient(envelope, edit->remove.items[i]))
			return pr_fail(call, PR_NOTFOUND, "%.*s is no recipient that still waits", PR_PRINT(edit->remove.items[i]));
	for (size_t i = 0; i < edit->add.count; i++)
		recipients[envelope->recipient_count++] =
		    (struct pr_recipient){.address = edit->add.items[i], .flags = PR_RECIPIENT_PRIMARY, .state = PR_RECIPIENT_WAITING};
	if (!has_open_recipient(envelope))
		return pr_fail(call, PR_MISUSE, "the message would have no recipient left; remove it instead");
	if (edit->sender.data != NULL)
		envelope->sender = edit->sender;
	return PR_OK;
}

enum pr_status spool_hold(struct pr_call *call, struct pr_str id, struct pr_str reason)
{
	return change_envelope(call, "qh", id, set_quarantine, &reason, 'h');
}

enum pr_status spool_quarantine(struct pr_call *call, struct pr_str id, struct pr_str reason)
{
	if (reason.len == 0)
		return pr_fail(call, PR_MISUSE, "a quarantine needs a reason");
	return change_envelope(call, "qh", id, set_quarantine, &reason, 'h');
}

enum pr_status spool_unhold(struct pr_call *call, struct pr_str id)
{
	struct pr_str none = PR_NONE;

	return change_envelope(call, "hq", id, set_quarantine, &none, 'q');
}

enum pr_status spool_requeue(struct pr_call *call, struct pr_str id)
{
	return change_envelope(call, "qh", id, forget_tries, NULL, 0);
}

enum pr_status spool_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit)
{
	return change_envelope(call, "qh", id, change_addresses, edit, 0);
}

enum pr_status spool_remove(struct pr_call *call, struct pr_str id)
{
	char name[SPOOL_ID_MAX + 1], kind;
	struct spool_held held;
	enum pr_status status = spool_take(call, "qhQ", id, name, &kind, &held);

	if (status != PR_OK)
		return status;
	if (unlinkat(held.place->control_fd, spool_name(kind, name).text, 0) != 0)
		status = spool_fail(call, held.place, errno, "cannot remove", spool_name(kind, name).text);
	else
		unlinkat(held.place->data_fd, spool_name('d', name).text, 0);
	close(held.fd);
	return status;
}
