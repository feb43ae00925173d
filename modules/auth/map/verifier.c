/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands in the table behind a name.  A value that cannot be understood is a fault of the table and not of the client: mail programs
 * are told to come again, and the log names the entry.
 */
#include "map.h"

#include <postrider/base64.h>

#include <string.h>

static const struct {
	struct pr_str prefix;
	enum hash_kind hash; /* 0: crypt */
} schemes[] = {{PR_STR_INIT("{SCRAM-SHA-256}"), HASH_SHA256}, {PR_STR_INIT("{SCRAM-SHA-1}"), HASH_SHA1}, {PR_STR_INIT("{CRYPT}"), 0}, {PR_STR_INIT("$"), 0}};

static bool take_key(struct pr_arena *arena, struct pr_str text, enum hash_kind hash, unsigned char *out)
{
	struct pr_str bytes;

	if (!pr_base64_decode(arena, text, &bytes) || bytes.len != hash_size(hash))
		return false;
	memcpy(out, bytes.data, bytes.len);
	return true;
}

/* "4096,SALT,STORED,SERVER" */
static bool parse_scram(struct pr_arena *arena, struct pr_str rest, struct verifier *verifier)
{
	struct pr_str iterations, salt, stored;
	uint64_t count = 0;

	if (!pr_str_next(&rest, ',', &iterations) || !pr_str_next(&rest, ',', &salt) || !pr_str_next(&rest, ',', &stored))
		return false;
	if (!pr_str_number(iterations, ITERATIONS_MAX, &count) || count == 0)
		return false;
	verifier->iterations = (uint32_t)count;
	return pr_base64_decode(arena, salt, &verifier->salt) && verifier->salt.len > 0 && take_key(arena, stored, verifier->hash, verifier->stored) &&
	       take_key(arena, rest, verifier->hash, verifier->server);
}

bool verifier_parse(struct pr_arena *arena, struct pr_str text, struct verifier *verifier_out)
{
	text = pr_str_trim(text);
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct pr_str prefix = schemes[i].prefix;
		if (!pr_str_has_prefix_nocase(text, prefix))
			continue;
		struct pr_str rest = pr_str_slice(text, prefix.len, text.len);
		*verifier_out = (struct verifier){.hash = schemes[i].hash};
		if (schemes[i].hash != 0)
			return parse_scram(arena, rest, verifier_out);
		verifier_out->crypted = pr_arena_copy(arena, prefix.len == 1 ? text : rest);
		return verifier_out->crypted.len > 0;
	}
	return false;
}

/* For a name that nobody has: the same salt each time it is asked for, and keys that nothing leads to. */
enum pr_status verifier_make_up(struct pr_call *call, struct pr_str name, enum hash_kind hash, struct verifier *verifier)
{
	const struct auth_map *map = call->instance;
	unsigned char *salt = pr_arena_alloc(call->arena, HASH_MAX);

	*verifier = (struct verifier){.hash = hash, .iterations = ITERATIONS_USUAL};
	if (salt == NULL || !hash_keyed(HASH_SHA256, map->secret, sizeof map->secret, name, salt) || !hash_random(verifier->stored, HASH_MAX) ||
	    !hash_random(verifier->server, HASH_MAX))
		return pr_fail(call, PR_TEMPFAIL, "no random numbers");
	verifier->salt = (struct pr_str){(const char *)salt, 16};
	return PR_NOTFOUND;
}

enum pr_status verifier_find(struct pr_call *call, struct pr_str name, enum hash_kind hash, struct verifier *verifier_out)
{
	const struct auth_map *map = call->instance;
	struct pr_str value = PR_NONE;
	enum pr_status status = call->host->map_lookup(call, map->map, name, NULL, &value);

	if (status == PR_NOTFOUND)
		return verifier_make_up(call, name, hash, verifier_out);
	if (status != PR_OK)
		return PR_TEMPFAIL;
	if (!verifier_parse(call->arena, value, verifier_out))
		return pr_fail(call, PR_TEMPFAIL, "map %.*s: the entry of %.*s is neither {SCRAM-SHA-256}, {SCRAM-SHA-1} nor a hash of crypt(3)", PR_PRINT(map->map),
		    PR_PRINT(name));
	return PR_OK;
}
