/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's services as far as they exist without a kernel: the log is stderr, accounts are the system's,
 * headers are printed as they are.  What only a running daemon has is answered "could not look", so that a module
 * sees here the failure it must be able to stand there.
 */
#include "tool.h"

#include <pwd.h>
#include <stdio.h>

struct pr_str tool_own_name = {"", 0};

static void log_line(struct pr_call *call, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void log_line(struct pr_call *call, uint32_t level, const char *format, ...)
{
	va_list args;

	(void)call;
	fprintf(stderr, "log %u: ", (unsigned int)level);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static enum pr_status map_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args,
    struct pr_str *value_out)
{
	(void)key;
	(void)args;
	(void)value_out;
	return pr_fail(call, PR_MISUSE, "no map %.*s: postrider-module knows no other maps", PR_PRINT(map));
}

static bool map_exists(struct pr_call *call, struct pr_str map)
{
	(void)call;
	(void)map;
	return false;
}

static struct pr_str nothing(struct pr_call *call, struct pr_str name)
{
	(void)call;
	(void)name;
	return PR_NONE;
}

static enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	(void)mx_out;
	(void)count_out;
	return pr_fail(call, PR_TEMPFAIL, "%.*s: postrider-module asks no DNS", PR_PRINT(domain));
}

static enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out)
{
	(void)addresses_out;
	return pr_fail(call, PR_TEMPFAIL, "%.*s: postrider-module asks no DNS", PR_PRINT(name));
}

static enum pr_status dns_name(struct pr_call *call, struct pr_str address, struct pr_str *name_out)
{
	(void)name_out;
	return pr_fail(call, PR_TEMPFAIL, "%.*s: postrider-module asks no DNS", PR_PRINT(address));
}

static enum pr_status user_find(struct pr_call *call, struct pr_str name, uint32_t *uid_out, struct pr_str *home_out)
{
	struct passwd account, *found = NULL;
	char *room = pr_arena_alloc(call->arena, 16384);
	struct pr_str copy = pr_arena_copy(call->arena, name);

	if (room == NULL || copy.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory left to look for an account");
	if (getpwnam_r(copy.data, &account, room, 16384, &found) != 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: the account cannot be looked for", copy.data);
	if (found == NULL)
		return PR_NOTFOUND;
	*uid_out = (uint32_t)account.pw_uid;
	if (home_out != NULL)
		*home_out = pr_str(account.pw_dir);
	return PR_OK;
}

static enum pr_status local_deliver(struct pr_call *call, struct pr_local_delivery *delivery)
{
	(void)delivery;
	return pr_fail(call, PR_TEMPFAIL, "only a running postrider delivers as another user");
}

static enum pr_status header_print(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out)
{
	bool fits = true;

	for (size_t i = 0; fits && i < envelope->header_count; i++)
		fits = pr_text_add_str(out, envelope->headers[i].name) && pr_text_add_byte(out, ':') &&
		       pr_text_add_str(out, envelope->headers[i].value) && pr_text_add_byte(out, '\n');
	return fits && pr_text_add_byte(out, '\n') ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the header does not fit");
}

static void answered(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command)
{
	(void)call;
	(void)delivery;
	(void)command; /* the reply alone is shown */
}

/* A module that is tried is its own and only instance. */
static struct pr_str own_name(struct pr_call *call)
{
	(void)call;
	return tool_own_name;
}

static enum pr_status dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out,
    size_t *count_out)
{
	(void)type;
	(void)records_out;
	(void)count_out;
	return pr_fail(call, PR_TEMPFAIL, "%.*s: postrider-module asks no DNS", PR_PRINT(name));
}

const struct pr_host tool_host = {
    .size = sizeof tool_host,
    .abi_major = PR_ABI_MAJOR,
    .abi_minor = PR_ABI_MINOR,
    .log = log_line,
    .map_lookup = map_lookup,
    .map_exists = map_exists,
    .option = nothing,
    .macro = nothing,
    .dns_mx = dns_mx,
    .dns_addresses = dns_addresses,
    .dns_name = dns_name,
    .user_find = user_find,
    .local_deliver = local_deliver,
    .header_print = header_print,
    .answered = answered,
    .own_name = own_name,
    .dns_records = dns_records,
};
