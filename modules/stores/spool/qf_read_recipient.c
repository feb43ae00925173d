/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The recipients of a control file: what C, Q, r and M lines have said belongs to the R line that follows.
 */
#include "qf_reader.h"

#include <postrider/address.h>
#include <string.h>

static bool take_recipient_flags(struct pr_str letters, uint32_t *flags_out)
{
	static const char known[] = "PNSFDAB"; /* PR_RECIPIENT_... in the order of their bits */

	*flags_out = 0;
	for (size_t i = 0; i < letters.len; i++) {
		char c = letters.data[i];
		const char *at = memchr(known, c, sizeof known - 1);

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return false;
		if (at != NULL)
			*flags_out |= 1u << (at - known);
	}
	return true;
}

static bool add_recipient(struct reader *r, const struct pr_recipient *recipient)
{
	r->e->recipients[r->e->recipient_count++] = *recipient;
	return true;
}

bool qf_read_done(struct reader *r, struct pr_str value)
{
	struct pr_recipient done = { .state = PR_RECIPIENT_DELIVERED };
	struct pr_str flags;

	return pr_str_next(&value, ' ', &flags) && flags.len > 0 && flags.data[0] == '=' &&
	       take_recipient_flags(pr_str_slice(flags, 1, flags.len), &done.flags) &&
	       qf_next_number(&value, UINT32_MAX, &done.owner_uid) && qf_next_number(&value, UINT32_MAX, &done.owner_gid) &&
	       qf_next_field(r, &value, &done.address) && qf_next_field(r, &value, &done.original) &&
	       qf_next_field(r, &value, &done.final) && qf_next_field(r, &value, &done.owner) &&
	       qf_next_field(r, &value, &done.alias) && qf_next_field(r, &value, &done.status) &&
	       qf_next_field(r, &value, &done.enhanced) && qf_next_field(r, &value, &done.remote) && done.address.len > 0 &&
	       add_recipient(r, &done);
}

bool qf_read_result(struct reader *r, struct pr_str value)
{
	r->has_state = true;
	return qf_next_number(&value, PR_RECIPIENT_DEFERRED, &r->next.state) && r->next.state != PR_RECIPIENT_DELIVERED &&
	       qf_next_field(r, &value, &r->next.enhanced) && qf_next_field(r, &value, &r->next.remote);
}

/* "", "user:uid:gid:alias", "user:alias", ":alias", "user"; stands for all R lines that follow */
bool qf_read_owner(struct reader *r, struct pr_str value)
{
	struct pr_str user = PR_NONE, uid, gid, rest = value, probe;
	uint64_t uid_number, gid_number;

	r->next.owner = r->next.alias = PR_NONE;
	r->next.owner_uid = r->next.owner_gid = 0;
	if (qf_has_control(value) || value.len > 2 * SPOOL_LINE_MAX)
		return false;
	if (value.len == 0)
		return true;
	pr_str_next(&rest, ':', &user);
	probe = rest;
	if (pr_str_next(&probe, ':', &uid) && pr_str_number(uid, UINT32_MAX, &uid_number) && pr_str_next(&probe, ':', &gid) &&
	    pr_str_number(gid, UINT32_MAX, &gid_number)) {
		r->next.owner_uid = (uint32_t)uid_number;
		r->next.owner_gid = (uint32_t)gid_number;
		rest = probe;
	}
	return (user.len == 0 || qf_take_exact(r, user, &r->next.owner)) && (rest.len == 0 || qf_take_exact(r, rest, &r->next.alias));
}

bool qf_read_original(struct reader *r, struct pr_str value)
{
	return qf_take_xtext(r, value, &r->next.original);
}

bool qf_read_final(struct reader *r, struct pr_str value)
{
	struct pr_str type = PR_STR("RFC822;");

	if (qf_has_control(value) || value.len > SPOOL_LINE_MAX)
		return false;
	if (!pr_str_has_prefix_nocase(value, type))
		return qf_take_exact(r, value, &r->next.final);
	value = pr_str_trim(pr_str_slice(value, type.len, value.len));
	r->next.final = pr_arena_printf(r->call->arena, "<%.*s>", PR_PRINT(value));
	return r->next.final.data != NULL;
}

bool qf_read_recipient(struct reader *r, struct pr_str value)
{
	size_t colon = pr_str_find(value, ':');
	struct pr_recipient *next = &r->next;

	if (colon == value.len || !take_recipient_flags(pr_str_slice(value, 0, colon), &next->flags) ||
	    !qf_take_exact(r, pr_str_slice(value, colon + 1, value.len), &next->address) || next->address.len == 0)
		return false;
	/* the line sendmail always writes says nothing when it repeats the address */
	if (pr_str_equal_nocase(pr_address_inner(next->final), pr_address_inner(next->address)))
		next->final = PR_NONE;
	if (!r->has_state)
		next->state = next->status.data == NULL ? PR_RECIPIENT_WAITING : PR_RECIPIENT_DEFERRED;
	add_recipient(r, next);

	struct pr_recipient owner = { .owner = next->owner, .alias = next->alias, .owner_uid = next->owner_uid, .owner_gid = next->owner_gid };

	*next = owner;
	r->has_state = false;
	return true;
}
