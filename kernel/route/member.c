/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One address on its way: rules first, then - for a mailer with F=A - the aliases, then the account.  Each step is a function
 * that either settles the address or hands it on, in sendmail's order, so that tables written for it mean the same here.
 */
#include "kernel/route/walk.h"

#include <postrider/address.h>
#include <string.h>

/* An address being settled. */
struct member {
	struct pr_str text;    /* as it stands in the list */
	struct pr_str mailer;
	struct pr_str host;
	struct pr_str identity; /* mailer, host, user: two that are equal are one recipient */
	struct pr_str user;    /* local: unquoted, lower case */
	struct frame parent;   /* a copy: pushing moves the frames */
	uint32_t has_parent;
	uint32_t quoted;       /* \user: no aliases */
	uint32_t is_final;     /* the rules have said the last word about the user */
	uint32_t moves;        /* how often they sent him elsewhere */
};

#define MOVES_MAX 10

static enum pr_status settle_route(struct walk *walk, struct member *member, const struct pr_route *route,
                                   struct expand_result *result_out);
static enum pr_status refused_by_rules(struct walk *walk, const struct member *member, enum pr_status status,
                                       const struct pr_route *route, struct expand_result *result_out);


static const struct pr_str include_word = { ":include:", 9 };

/* Two kinds of failure: of the only thing asked for, or of one member of a list. */
static enum pr_status bad_member(struct walk *walk, const struct member *member, const struct expand_result *why,
                                 struct expand_result *result_out)
{
	if (!member->has_parent) {
		*result_out = *why;
		return PR_PERMFAIL;
	}
	if (walk->problem.code == 0) {
		walk->problem = *why;
		walk->problem.reason = pr_arena_printf(&walk->arena, "alias %.*s: %.*s: %.*s", PR_PRINT(member->parent.alias),
		                                       PR_PRINT(member->text), PR_PRINT(why->text));
	}
	return PR_OK;
}

static enum pr_status full(struct expand_result *result_out)
{
	return walk_refuse(result_out, 452, "4.5.3", "Too many recipients");
}

/* Adds the recipient unless an equal one is there. */
static enum pr_status settle(struct walk *walk, const struct member *member, const struct pr_recipient *recipient,
                             struct expand_result *result_out)
{
	struct seen *seen = expansion_seen(walk->expansion);

	if (member->identity.data == NULL || recipient->address.data == NULL)
		return full(result_out);
	if (seen_find(seen, member->identity) != NULL)
		return PR_OK;
	if (!expansion_append(walk->expansion, recipient, member->has_parent ? member->parent.owner : PR_NONE))
		return full(result_out);
	seen_add(seen, member->identity);
	return PR_OK;
}

static struct pr_recipient from_model(struct walk *walk, const struct member *member)
{
	struct pr_recipient recipient = { .original = walk->model->original, .final = walk->model->final,
		.flags = walk->model->flags };

	if (member->has_parent) {
		recipient.flags &= ~PR_RECIPIENT_PRIMARY;
		recipient.alias = member->parent.alias;
		if (recipient.final.data == NULL)
			recipient.final = pr_arena_printf(&walk->arena, "<%.*s>", PR_PRINT(walk->named));
	}
	return recipient;
}

static enum pr_status add_user(struct walk *walk, const struct member *member, struct expand_result *result_out)
{
	struct pr_recipient recipient = from_model(walk, member);

	recipient.address = pr_arena_printf(&walk->arena, "<%.*s>", PR_PRINT(member->text));
	walk->reached++;
	return settle(walk, member, &recipient, result_out);
}

/* In a list the others get their mail and this one its bounce: see expand.h. */
static enum pr_status add_bouncing(struct walk *walk, const struct member *member, const struct expand_result *why,
                                   struct expand_result *result_out)
{
	enum pr_status status = bad_member(walk, member, why, result_out);

	if (status != PR_OK)
		return status;
	struct pr_recipient recipient = from_model(walk, member);
	recipient.address = pr_arena_printf(&walk->arena, "<%.*s>", PR_PRINT(member->text));
	recipient.status = pr_arena_printf(&walk->arena, "%u %.*s %.*s", why->code, PR_PRINT(why->enhanced), PR_PRINT(why->text));
	recipient.enhanced = why->enhanced;
	return settle(walk, member, &recipient, result_out);
}

/* "|prog" and "/file": only from aliases and :include: files. */
static enum pr_status add_special(struct walk *walk, struct member *member, struct expand_result *result_out)
{
	bool program = member->text.data[0] == '|';
	struct pr_recipient recipient = from_model(walk, member);

	if (member->parent.is_include && member->parent.include_owner.data == NULL) {
		walk_refuse(result_out, 550, "5.7.1", program ? "Address is unsafe for mailing to programs"
		                                              : "Address is unsafe for mailing to files");
		result_out->reason = pr_arena_printf(&walk->arena, "alias %.*s: %.*s in an :include: file without a trusted owner",
		                                     PR_PRINT(member->parent.alias), PR_PRINT(member->text));
		return PR_PERMFAIL;
	}
	recipient.address = member->text;
	if (member->parent.include_owner.len > 0)
		recipient.owner = member->parent.include_owner;
	member->identity = pr_arena_printf(&walk->arena, "S%.*s\n%.*s", PR_PRINT(recipient.owner), PR_PRINT(member->text));
	walk->reached++;
	return settle(walk, member, &recipient, result_out);
}

static enum pr_status open_include(struct walk *walk, const struct member *member, struct expand_result *result_out)
{
	struct pr_str path = pr_str_trim(pr_str_slice(member->text, include_word.len, member->text.len));
	struct pr_str contents = PR_NONE, why = PR_NONE, owner = PR_NONE;
	struct pr_str key = pr_arena_printf(&walk->arena, "I%.*s", PR_PRINT(path));
	struct seen *seen = expansion_seen(walk->expansion);
	struct seen_entry *entry = key.data != NULL ? seen_find(seen, key) : NULL;

	if (key.data == NULL)
		return full(result_out);
	if (entry != NULL) {
		walk->loop |= entry->open;
		walk->reached += entry->serial < walk->seen_before;
		return PR_OK;
	}
	enum pr_status status = walk->source->include == NULL ? PR_NOTFOUND
	                                                      : walk->source->include(walk->source->context, path, &contents, &why);
	if (status != PR_OK) {
		bool hard = status == PR_NOTFOUND || status == PR_PERMFAIL;
		walk_refuse(result_out, hard ? 550 : 451, hard ? "5.2.4" : "4.2.4", "Mailing list cannot be read");
		result_out->reason = pr_arena_printf(&walk->arena, "alias %.*s: %.*s: %.*s", PR_PRINT(member->parent.alias),
		                                     PR_PRINT(member->text), PR_PRINT(why));
		return hard ? PR_PERMFAIL : PR_TEMPFAIL;
	}
	contents = pr_arena_copy(&walk->arena, contents);
	if (contents.data == NULL)
		return walk_refuse(result_out, 452, "4.3.0", "Mailing list is too long");
	if (walk->source->include_owner == NULL || walk->source->include_owner(walk->source->context, path, &owner) != PR_OK)
		owner = PR_NONE;
	if (pr_str_equal(owner, PR_STR("root")))
		owner = PR_STR(""); /* trusted, but nothing named in a file runs as root: DefaultUser */
	struct frame *frame = walk_push(walk);
	*frame = (struct frame){ .rest = PR_STR(""), .lines = contents, .alias = member->parent.alias,
		.owner = member->parent.owner, .include_owner = pr_arena_copy(&walk->arena, owner), .is_include = 1 };
	frame->entry = seen_add(seen, key);
	frame->entry->open = 1;
	return PR_OK;
}

static enum pr_status could_not_look(struct walk *walk, const struct member *member, const char *what,
                                     struct expand_result *result_out)
{
	result_out->reason = pr_arena_printf(&walk->arena, "%s of %.*s failed", what, PR_PRINT(member->text));
	return walk_refuse(result_out, 451, "4.3.0", "Temporary lookup failure");
}

/* "list-request" for the contents of owner-LIST when that is one address, else "owner-LIST" itself. */
static struct pr_str owner_address(struct walk *walk, struct pr_str key, struct pr_str value)
{
	struct pr_str first = PR_NONE, second = PR_NONE, why = PR_NONE, rest = pr_arena_copy(&walk->arena, value);

	if (pr_address_next(&rest, true, &walk->arena, &first, &why) != PR_OK || first.len == 0 || first.data[0] == '|' ||
	    first.data[0] == '/' || first.data[0] == '\\' || pr_str_has_prefix_nocase(first, include_word))
		return key;
	return pr_address_next(&rest, true, &walk->arena, &second, &why) == PR_NOTFOUND ? first : key;
}

static enum pr_status find_owner(struct walk *walk, struct pr_str user, struct pr_str *owner_out)
{
	struct pr_str value = PR_NONE;
	struct pr_str key = pr_str_has_prefix_nocase(user, PR_STR("owner-"))
	                        ? PR_STR("owner-owner") : pr_arena_printf(&walk->arena, "owner-%.*s", PR_PRINT(user));
	enum pr_status status = walk->source->alias(walk->source->context, key, &value);

	if (status == PR_OK)
		*owner_out = owner_address(walk, key, value);
	return status == PR_NOTFOUND ? PR_OK : status;
}

/* Where the +detail of a user begins that the rules left for us to take off; his length when there is none. */
static size_t detail_of(const struct walk *walk, const struct member *member)
{
	return walk->source->rules_take_details && !member->quoted ? member->user.len : pr_str_find(member->user, '+');
}

/* name+detail, then name+*, then name. */
static enum pr_status find_alias(struct walk *walk, const struct member *member, struct pr_str *key_out, struct pr_str *value_out)
{
	struct pr_str user = member->user;
	size_t plus = detail_of(walk, member);
	struct pr_str bare = pr_str_slice(user, 0, plus);
	struct pr_str keys[] = { user, PR_NONE, PR_NONE };

	if (plus > 0 && plus < user.len) {
		keys[1] = pr_arena_printf(&walk->arena, "%.*s+*", PR_PRINT(bare));
		keys[2] = pr_arena_copy(&walk->arena, bare);
	}
	for (size_t i = 0; i < 3 && keys[i].data != NULL; i++) {
		enum pr_status status = walk->source->alias(walk->source->context, keys[i], value_out);
		if (status != PR_NOTFOUND) {
			*key_out = keys[i];
			return status;
		}
	}
	return PR_NOTFOUND;
}

static enum pr_status open_alias(struct walk *walk, const struct member *member, struct pr_str key, struct pr_str value,
                                 struct expand_result *result_out)
{
	struct seen *seen = expansion_seen(walk->expansion);
	struct pr_str seen_key = pr_arena_printf(&walk->arena, "A%.*s", PR_PRINT(key));
	struct pr_str owner = member->has_parent ? member->parent.owner : PR_NONE;
	struct seen_entry *entry = seen_key.data != NULL ? seen_find(seen, seen_key) : NULL;

	value = pr_arena_copy(&walk->arena, value); /* the next lookup may take its place */
	if (seen_key.data == NULL || value.data == NULL)
		return walk_refuse(result_out, 452, "4.3.0", "Mailing list is too long");
	if (entry != NULL) {
		walk->loop |= entry->open;
		walk->reached += entry->serial < walk->seen_before;
		return PR_OK;
	}
	enum pr_status status = find_owner(walk, member->user, &owner);
	if (status != PR_OK)
		return could_not_look(walk, member, "alias lookup", result_out);
	walk->is_list |= !member->has_parent && owner.data != NULL;
	struct frame *frame = walk_push(walk);
	*frame = (struct frame){ .rest = value, .alias = key, .owner = owner };
	frame->entry = seen_add(seen, seen_key);
	frame->entry->open = 1;
	return PR_OK;
}

/* F=5: the rules may send a user who is no alias elsewhere. */
static enum pr_status move(struct walk *walk, struct member *member, bool *moved, struct expand_result *result_out)
{
	const struct expand_source *source = walk->source;
	struct pr_route route = { .size = sizeof route };

	*moved = false;
	if (source->local == NULL || member->is_final || member->quoted || !source->mailer_has_flag(source->context, member->mailer, '5'))
		return PR_OK;
	enum pr_status status = source->local(source->context, member->mailer, member->host, member->user, &route);
	if (status == PR_NOTFOUND)
		return PR_OK;
	*moved = true;
	if (status != PR_OK)
		return refused_by_rules(walk, member, status, &route, result_out);
	if (++member->moves > MOVES_MAX)
		return walk_refuse(result_out, 554, "5.4.6", "aliasing/forwarding loop broken");
	return settle_route(walk, member, &route, result_out);
}

/* A user whose name is no alias, or is not to be looked up as one. */
static enum pr_status check_account(struct walk *walk, struct member *member, struct expand_result *result_out)
{
	struct expand_result unknown = {0};
	const struct expand_source *source = walk->source;
	bool moved = false;
	enum pr_status result = move(walk, member, &moved, result_out);
	if (moved)
		return result;
	size_t plus = detail_of(walk, member);
	enum pr_status status = PR_OK;

	if (source->mailer_has_flag(source->context, member->mailer, 'w')) {
		status = source->user(source->context, member->user);
		if (status == PR_NOTFOUND && plus > 0 && plus < member->user.len)
			status = source->user(source->context, pr_arena_copy(&walk->arena, pr_str_slice(member->user, 0, plus)));
	}
	if (status == PR_OK)
		return add_user(walk, member, result_out);
	if (status != PR_NOTFOUND && status != PR_PERMFAIL)
		return could_not_look(walk, member, "account lookup", result_out);
	walk_refuse(&unknown, 550, "5.1.1", "User unknown");
	return add_bouncing(walk, member, &unknown, result_out);
}

/* "|prog", "/file" or ":include:" as a user: never from a stranger. */
static const char *direct_word(struct pr_str user)
{
	if (user.len > 0 && user.data[0] == '|')
		return "Cannot mail directly to programs";
	if (user.len > 0 && user.data[0] == '/')
		return "Cannot mail directly to files";
	if (pr_str_has_prefix_nocase(user, include_word))
		return "Cannot mail directly to :include:s";
	return NULL;
}

/* Quotes are a spelling: "alice" is alice. */
static struct pr_str local_user(struct walk *walk, struct pr_str user)
{
	struct pr_text plain;
	bool inside = false;

	pr_text_init(&plain, user.len);
	for (size_t i = 0; i < user.len; i++) {
		if (user.data[i] == '"')
			inside = !inside;
		else if (inside && user.data[i] == '\\' && i + 1 < user.len)
			pr_text_add_byte(&plain, user.data[++i]);
		else
			pr_text_add_byte(&plain, user.data[i]);
	}
	struct pr_str lower = pr_arena_lower(&walk->arena, pr_text_str(&plain));
	pr_text_fini(&plain);
	return lower;
}

static enum pr_status local_member(struct walk *walk, struct member *member, struct expand_result *result_out)
{
	struct pr_str key = PR_NONE, value = PR_NONE;

	if (walk->from_wire && !member->has_parent && direct_word(member->user) != NULL)
		return walk_refuse(result_out, 550, "5.7.1", direct_word(member->user));
	if (member->quoted)
		return check_account(walk, member, result_out);
	enum pr_status status = find_alias(walk, member, &key, &value);
	if (status == PR_NOTFOUND || (status == PR_OK && member->has_parent && pr_str_equal(key, member->parent.alias)))
		return check_account(walk, member, result_out); /* an alias to itself is the user */
	if (status != PR_OK)
		return could_not_look(walk, member, "alias lookup", result_out);
	return open_alias(walk, member, key, value, result_out);
}

static enum pr_status refused_by_rules(struct walk *walk, const struct member *member, enum pr_status status,
                                       const struct pr_route *route, struct expand_result *result_out)
{
	struct expand_result why = { .code = route->code, .enhanced = pr_arena_copy(&walk->arena, route->enhanced),
		.text = pr_arena_copy(&walk->arena, route->text) };
	bool hard = status == PR_PERMFAIL || status == PR_NOTFOUND;

	if (hard ? why.code < 500 || why.code > 599 : why.code < 400 || why.code > 499)
		why.code = hard ? 550 : 451;
	if (why.enhanced.len == 0)
		why.enhanced = hard ? PR_STR("5.1.2") : PR_STR("4.3.0");
	if (why.text.len == 0)
		why.text = hard ? PR_STR("Cannot route to this address") : PR_STR("Temporary lookup failure");
	if (hard)
		return add_bouncing(walk, member, &why, result_out);
	*result_out = why;
	return PR_TEMPFAIL;
}

/* {mailer, host, user} are known: aliases and accounts follow where the mailer wants them. */
static enum pr_status settle_route(struct walk *walk, struct member *member, const struct pr_route *found,
                                   struct expand_result *result_out)
{
	const struct expand_source *source = walk->source;
	struct pr_route route = *found;

	member->mailer = pr_arena_copy(&walk->arena, route.mailer);
	member->is_final = route.flags & PR_ROUTE_FINAL;
	bool local = source->mailer_has_flag(source->context, member->mailer, 'A');
	bool exact = source->mailer_has_flag(source->context, member->mailer, 'u');
	struct pr_str user = local ? local_user(walk, route.user)
	                           : exact ? pr_arena_copy(&walk->arena, route.user) : pr_arena_lower(&walk->arena, route.user);
	struct pr_str host = pr_arena_lower(&walk->arena, route.host.data == NULL ? PR_STR("") : route.host);
	if (user.data == NULL || host.data == NULL)
		return full(result_out);
	member->host = host;
	member->user = user;
	member->identity = pr_arena_printf(&walk->arena, "F%.*s\n%.*s\n%.*s", PR_PRINT(member->mailer), PR_PRINT(host), PR_PRINT(user));
	if (!member->has_parent && walk->identity.data == NULL)
		walk->identity = member->quoted ? pr_arena_printf(&walk->arena, "\\%.*s", PR_PRINT(member->identity)) : member->identity;
	if (local)
		return local_member(walk, member, result_out);
	return add_user(walk, member, result_out);
}

/* Nobody of ours, with aliases, could be behind it: then he can wait for his host's name. */
static bool can_wait(const struct walk *walk, const struct pr_route *route)
{
	return (route->flags & PR_ROUTE_WAITS) != 0 && !walk->source->mailer_has_flag(walk->source->context, route->mailer, 'A');
}

/* Asks the rules where the address goes. */
static enum pr_status route_member(struct walk *walk, struct member *member, struct expand_result *result_out)
{
	const struct expand_source *source = walk->source;
	struct pr_route route = { .size = sizeof route };
	struct pr_str address = pr_str_slice(member->text, member->quoted, member->text.len);

	member->identity = pr_arena_printf(&walk->arena, "B%.*s", PR_PRINT(member->text));
	enum pr_status status = source->resolve(source->context, address, &route);
	if (status == PR_TEMPFAIL && can_wait(walk, &route)) {
		walk->waits = 1;
		return add_user(walk, member, result_out);
	}
	if (status != PR_OK)
		return refused_by_rules(walk, member, status, &route, result_out);
	return settle_route(walk, member, &route, result_out);
}

enum pr_status walk_address(struct walk *walk, struct pr_str address, struct expand_result *result_out)
{
	struct member member = { .text = address, .has_parent = walk->depth > 0 };
	uint32_t most = expansion_limits(walk->expansion)->depth;

	if (member.has_parent)
		member.parent = walk->frames[walk->depth - 1];
	member.quoted = address.len > 1 && address.data[0] == '\\';
	if (walk->depth > most) {
		struct expand_result broken = {0};
		walk_refuse(&broken, 554, "5.4.6", "");
		broken.text = pr_arena_printf(&walk->arena, "aliasing/forwarding loop broken (%u aliases deep; %u max)",
		                              (unsigned)walk->depth, (unsigned)most);
		member.identity = pr_arena_printf(&walk->arena, "B%.*s", PR_PRINT(address));
		return add_bouncing(walk, &member, &broken, result_out);
	}
	if (walk->from_wire && !member.has_parent) {
		const char *word = direct_word(local_user(walk, address));
		if (word != NULL && pr_str_find(address, '@') == address.len)
			return walk_refuse(result_out, 550, "5.7.1", word);
	} else if (address.len > 0 && (address.data[0] == '|' || address.data[0] == '/')) {
		return add_special(walk, &member, result_out);
	} else if (pr_str_has_prefix_nocase(address, include_word)) {
		return open_include(walk, &member, result_out);
	}
	return route_member(walk, &member, result_out);
}
