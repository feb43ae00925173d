/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SCRAM (RFC 5802): the client proves that it knows the password, the server that it knows the verifier, and neither is sent.
 * Without channel binding: a client that wants it is refused, one that only could use it is not.
 */
#include "map.h"

#include <postrider/base64.h>

#include <string.h>

#define NONCE_BYTES 18

/* The next attribute, "x=value" up to a comma. */
static bool attribute(struct pr_str *rest, char letter, struct pr_str *value_out)
{
	struct pr_str piece;

	if (!pr_str_next(rest, ',', &piece) || piece.len < 2 || piece.data[0] != letter || piece.data[1] != '=')
		return false;
	*value_out = pr_str_slice(piece, 2, piece.len);
	return true;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign, and no other '=' may stand there. */
static bool decode_name(struct pr_str text, char *out, size_t room)
{
	size_t length = 0;

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte == '=') {
			struct pr_str code = pr_str_slice(text, i, i + 3);
			bool is_comma = pr_str_equal(code, PR_STR("=2C"));
			if (!is_comma && !pr_str_equal(code, PR_STR("=3D")))
				return false;
			byte = is_comma ? ',' : '=';
			i += 2;
		}
		if (length + 1 >= room)
			return false;
		out[length++] = byte;
	}
	out[length] = '\0';
	return map_is_name((struct pr_str){out, length});
}

static bool is_nonce(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e || text.data[i] == ',')
			return false;
	return text.len > 0 && text.len <= 256;
}

static bool keep(char *place, size_t room, struct pr_str text)
{
	if (text.len >= room || memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(place, text.data, text.len);
	place[text.len] = '\0';
	return true;
}

/* client-first-message: "n,,n=joe,r=NONCE" or "y,,..."; NULL or what is wrong with it. */
static const char *take_first(struct map_exchange *exchange, struct pr_str input, struct pr_str *nonce_out)
{
	struct pr_str rest = input, flag, author = PR_STR(""), name, bare;

	if (!pr_str_next(&rest, ',', &flag) || flag.len != 1 || (flag.data[0] != 'n' && flag.data[0] != 'y'))
		return "channel binding is not offered";
	if (!pr_str_next(&rest, ',', &author))
		return "no such message";
	bare = rest;
	if (!attribute(&rest, 'n', &name) || !attribute(&rest, 'r', nonce_out))
		return "no such message";
	if (author.len > 0 && (author.len < 2 || memcmp(author.data, "a=", 2) != 0 || !pr_str_equal(pr_str_slice(author, 2, author.len), name)))
		return "nobody speaks for others here";
	if (!decode_name(name, exchange->name, sizeof exchange->name) || !is_nonce(*nonce_out) ||
	    !keep(exchange->header, sizeof exchange->header, pr_str_slice(input, 0, input.len - bare.len)) ||
	    !keep(exchange->first, sizeof exchange->first, bare))
		return "no name, or no nonce";
	return NULL;
}

static enum pr_status first(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	unsigned char random[NONCE_BYTES];
	struct verifier verifier;
	struct pr_str nonce;
	const char *wrong = take_first(exchange, step->input, &nonce);

	if (wrong != NULL)
		return map_refuse(call, step, "", wrong);
	enum pr_status status = verifier_find(call, pr_str(exchange->name), exchange->hash, &verifier);
	if (status == PR_OK && verifier.hash != exchange->hash)
		status = verifier_make_up(call, pr_str(exchange->name), exchange->hash, &verifier);
	if (status != PR_OK && status != PR_NOTFOUND)
		return status;
	if (!hash_random(random, sizeof random))
		return pr_fail(call, PR_TEMPFAIL, "no random numbers");
	exchange->is_known = status == PR_OK;
	memcpy(exchange->stored, verifier.stored, sizeof exchange->stored);
	memcpy(exchange->server, verifier.server, sizeof exchange->server);
	struct pr_str own = pr_base64_encode(call->arena, (struct pr_str){(const char *)random, sizeof random});
	pr_print(exchange->nonce, sizeof exchange->nonce, "%.*s%.*s", PR_PRINT(nonce), PR_PRINT(own));
	step->output = pr_arena_printf(call->arena, "r=%s,s=%.*s,i=%u", exchange->nonce, PR_PRINT(pr_base64_encode(call->arena, verifier.salt)), verifier.iterations);
	return keep(exchange->answer, sizeof exchange->answer, step->output) ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the salt is too long");
}

/* ClientKey is the proof without the signature; its hash is what the table keeps. */
static bool proves(const struct map_exchange *exchange, struct pr_str message, struct pr_str proof)
{
	unsigned char key[HASH_MAX], stored[HASH_MAX];
	size_t size = hash_size(exchange->hash);

	if (proof.len != size || !hash_keyed(exchange->hash, exchange->stored, size, message, key))
		return false;
	for (size_t i = 0; i < size; i++)
		key[i] ^= (unsigned char)proof.data[i];
	bool good = hash_of(exchange->hash, key, size, stored) && hash_is_equal(stored, exchange->stored, size);
	explicit_bzero(key, sizeof key);
	return good && exchange->is_known != 0;
}

/* client-final-message: "c=biws,r=NONCE,p=PROOF" */
static enum pr_status final(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	struct pr_str rest = step->input, header, nonce, proof, bytes;
	unsigned char signature[HASH_MAX];

	if (!attribute(&rest, 'c', &header) || !attribute(&rest, 'r', &nonce))
		return map_refuse(call, step, exchange->name, "no such message");
	struct pr_str without_proof = pr_str_slice(step->input, 0, step->input.len - rest.len - 1);
	if (!attribute(&rest, 'p', &proof) || rest.len > 0 || !pr_base64_decode(call->arena, proof, &proof) || !pr_base64_decode(call->arena, header, &bytes) ||
	    !pr_str_equal(bytes, pr_str(exchange->header)) || !pr_str_equal(nonce, pr_str(exchange->nonce)))
		return map_refuse(call, step, exchange->name, "another header or nonce");
	struct pr_str message = pr_arena_printf(call->arena, "%s,%s,%.*s", exchange->first, exchange->answer, PR_PRINT(without_proof));
	if (!proves(exchange, message, proof))
		return map_refuse(call, step, exchange->name, exchange->is_known != 0 ? "wrong proof" : "unknown name, or no verifier for this mechanism");
	if (!hash_keyed(exchange->hash, exchange->server, hash_size(exchange->hash), message, signature))
		return pr_fail(call, PR_TEMPFAIL, "no signature");
	step->output = pr_arena_printf(call->arena, "v=%.*s",
	    PR_PRINT(pr_base64_encode(call->arena, (struct pr_str){(const char *)signature, hash_size(exchange->hash)})));
	return PR_OK;
}

static enum pr_status run(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	if (exchange->step == 0 && step->input.data == NULL) {
		step->output = PR_STR(""); /* the client speaks first */
		return PR_OK;
	}
	switch (exchange->step++) {
	case 0:
		return first(call, exchange, step);
	case 1:
		return final(call, exchange, step);
	default: /* the client has heard our signature, and says nothing (RFC 4954 section 4) */
		if (step->input.len > 0)
			return map_refuse(call, step, exchange->name, "something behind the end");
		step->name = pr_arena_copy(call->arena, pr_str(exchange->name));
		step->done = 1;
		return PR_OK;
	}
}

enum pr_status scram_sha1(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	exchange->hash = HASH_SHA1;
	return run(call, exchange, step);
}

enum pr_status scram_sha256(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	exchange->hash = HASH_SHA256;
	return run(call, exchange, step);
}
