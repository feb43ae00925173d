/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names and verifiers in a map: authentication for a site that has a table and nothing else.
 *
 *   map.c        the descriptor: which mechanism goes where          verifier.c   what a value of the table says
 *   password.c   PLAIN (RFC 4616) and LOGIN                          hash.c       the only file that knows the cryptographic library
 *   scram.c      SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677)
 *
 * A value is "{SCRAM-SHA-256}4096,SALT,STORED,SERVER" (base64; as `doveadm pw -s SCRAM-SHA-256` prints it), the same with SCRAM-SHA-1, or a hash
 * of crypt(3) ("$6$...", "$y$...", "{CRYPT}$6$..."), which is good for PLAIN and LOGIN only.  Nobody is told which names there are: an unknown one, and
 * one without a verifier for the mechanism, goes the same way and fails at its end.
 */
#ifndef MODULES_AUTH_MAP_H
#define MODULES_AUTH_MAP_H

#include <postrider/auth.h>

#define HASH_MAX 32
#define NAME_MAX_BYTES 255
#define ITERATIONS_MAX 10000000u /* of a verifier in the table */
#define ITERATIONS_USUAL 4096u   /* RFC 7677 section 4: the least; for names that nobody has */

enum hash_kind { HASH_SHA1 = 1, HASH_SHA256 = 2 };

struct auth_map {
	struct pr_str map;
	struct pr_list mechanisms;
	uint32_t without_tls;
	unsigned char secret[HASH_MAX]; /* salts of names that nobody has are made of it */
};

struct verifier {
	enum hash_kind hash; /* 0: crypt */
	uint32_t iterations;
	struct pr_str salt;  /* decoded */
	unsigned char stored[HASH_MAX], server[HASH_MAX];
	struct pr_str crypted; /* of crypt(3) */
};

/* Of one exchange; all of it is wiped at its end. */
struct map_exchange {
	uint32_t step;
	enum hash_kind hash;
	uint32_t is_known;
	char name[NAME_MAX_BYTES + 1];
	char header[NAME_MAX_BYTES + 16]; /* gs2-header */
	char first[1024], answer[1024];   /* client-first-message-bare, server-first-message */
	char nonce[400];
	unsigned char stored[HASH_MAX], server[HASH_MAX];
};

/* hash.c */
size_t hash_size(enum hash_kind kind);
bool hash_of(enum hash_kind kind, const void *bytes, size_t length, unsigned char *out);
bool hash_keyed(enum hash_kind kind, const void *key, size_t key_length, struct pr_str text, unsigned char *out);
bool hash_password(enum hash_kind kind, struct pr_str password, struct pr_str salt, uint32_t iterations, unsigned char *out);
bool hash_is_equal(const unsigned char *a, const unsigned char *b, size_t length); /* in the same time whatever they are */
bool hash_random(unsigned char *out, size_t length);
/* StoredKey and ServerKey of a salted password (RFC 5802 section 3). */
bool hash_keys(enum hash_kind kind, const unsigned char *salted, unsigned char *stored_out, unsigned char *server_out);

/* verifier.c.  False: it is none. */
bool verifier_parse(struct pr_arena *arena, struct pr_str text, struct verifier *verifier_out);
/* Of that name.  PR_NOTFOUND, with one that nobody's password fits: the name is not in the table. */
enum pr_status verifier_find(struct pr_call *call, struct pr_str name, enum hash_kind hash, struct verifier *verifier_out);
enum pr_status verifier_make_up(struct pr_call *call, struct pr_str name, enum hash_kind hash, struct verifier *verifier_out); /* that one */

/* password.c, scram.c */
enum pr_status password_plain(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step);
enum pr_status password_login(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step);
enum pr_status scram_sha1(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step);
enum pr_status scram_sha256(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step);
/* A name that can be looked up and written into a log. */
bool map_is_name(struct pr_str name);
enum pr_status map_refuse(struct pr_call *call, struct pr_auth_step *step, const char *name, const char *why);

#endif
