/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens of OAuth (RFC 6750), from where the entry of authinfo says:
 *
 *     /etc/mail/token                 a file; its first line is the token, and somebody else renews it
 *     account|/usr/bin/token args     a program, run as that account, for which token_program of the mailer allows it (empty: DefaultUser); it prints the token, and on a line of its own for how many seconds it is good
 *
 * What a program said is kept for this process until shortly before its time is over, or until a server refuses it.  One thread fetches while the others that
 * want the same token wait for it; one that cannot be had now is not asked for again by each of them.
 */
#include "auth.h"

#include "../prog/prog.h"

#include <postrider/file.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_BYTES 8192       /* what goes into a line of AUTH */
#define TOKENS 32              /* kept at once */
#define UNSAID_SECONDS 300     /* the program did not say how long */
#define LONGEST_SECONDS 86400
#define MARGIN_SECONDS 30      /* it is not used to its last second */
#define AFTER_FAILURE_MS 10000

struct kept {
	char *source;      /* NULL: the place is free */
	char *token;       /* NULL: none */
	int64_t until;     /* milliseconds: the token is good; without one: do not ask again before */
	int64_t used;
	bool busy;         /* somebody fetches it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fetched = PTHREAD_COND_INITIALIZER;
static struct kept table[TOKENS];

static char *duplicate(struct pr_str text)
{
	char *copy = pr_alloc(text.len + 1);

	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

static void forget_token(struct kept *kept)
{
	if (kept->token != NULL)
		explicit_bzero(kept->token, strlen(kept->token));
	pr_free(kept->token);
	kept->token = NULL;
}

/* The place of this source, else the one that was used longest ago, emptied; NULL: all are busy. */
static struct kept *find_place(struct pr_str source)
{
	struct kept *oldest = NULL;

	for (size_t i = 0; i < TOKENS; i++) {
		struct kept *kept = &table[i];
		if (kept->source != NULL && pr_str_equal(pr_str(kept->source), source))
			return kept;
		if (!kept->busy && (oldest == NULL || kept->used < oldest->used))
			oldest = kept;
	}
	if (oldest == NULL)
		return NULL;
	forget_token(oldest);
	pr_free(oldest->source);
	*oldest = (struct kept){.source = duplicate(source)};
	return oldest;
}

bool auth_token_is_source(struct pr_str source)
{
	size_t bar = pr_str_find(source, '|');

	return source.len > 1 && (source.data[0] == '/' || (bar + 1 < source.len && source.data[bar + 1] == '/'));
}

/* It goes between the words of a protocol (RFC 6750 section 2.1). */
static bool is_token(struct pr_str token)
{
	for (size_t i = 0; i < token.len; i++)
		if ((unsigned char)token.data[i] <= ' ' || (unsigned char)token.data[i] >= 0x7f)
			return false;
	return token.len > 0;
}

static enum pr_status take_token(struct pr_call *call, struct pr_str source, struct pr_str text, struct pr_str *token_out, int64_t *seconds_out)
{
	struct pr_str line = PR_NONE, rest = text;
	uint64_t seconds = UNSAID_SECONDS;

	pr_str_next(&rest, '\n', &line);
	line = pr_str_trim(line);
	if (!is_token(line))
		return pr_fail(call, PR_TEMPFAIL, "%.*s: there is no token", PR_PRINT(source));
	struct pr_str number = pr_str_trim(pr_str_slice(rest, 0, pr_str_find(rest, '\n')));
	if (number.len > 0 && !pr_str_number(number, INT32_MAX, &seconds))
		return pr_fail(call, PR_TEMPFAIL, "%.*s: the second line is no number of seconds", PR_PRINT(source));
	*token_out = pr_arena_copy(call->arena, line);
	*seconds_out = seconds < LONGEST_SECONDS ? (int64_t)seconds : LONGEST_SECONDS;
	return token_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for a token");
}

static enum pr_status from_file(struct pr_call *call, struct pr_str path, struct pr_str *token_out)
{
	struct pr_str copy = pr_arena_copy(call->arena, path);
	struct pr_text text, why;
	int64_t ignored;

	pr_text_init(&text, TOKEN_BYTES);
	pr_text_init(&why, 1000);
	enum pr_status status = copy.data != NULL ? pr_file_read(copy.data, TOKEN_BYTES, &text, &why) : PR_TEMPFAIL;
	if (status == PR_OK)
		status = take_token(call, path, pr_text_str(&text), token_out, &ignored);
	else
		status = pr_fail(call, PR_TEMPFAIL, "%s", why.len > 0 ? why.data : "the file of the token cannot be read");
	if (text.len > 0)
		explicit_bzero(text.data, text.len);
	pr_text_fini(&text);
	pr_text_fini(&why);
	return status;
}

/* To its end, which comes when the program has ended. */
static enum pr_status read_all(struct pr_call *call, int fd, int64_t deadline, struct pr_text *out)
{
	char piece[1024];

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - smtp_now_ms();
		if (left <= 0)
			return pr_fail(call, PR_TEMPFAIL, "the program that makes tokens takes too long");
		if (poll(&wait, 1, left < 60000 ? (int)left : 60000) <= 0)
			continue;
		ssize_t got = read(fd, piece, sizeof piece);
		if (got == 0)
			return PR_OK;
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return pr_fail(call, PR_TEMPFAIL, "the program that makes tokens cannot be read: %s", strerror(errno));
		if (got > 0 && !pr_text_add(out, piece, (size_t)got))
			return pr_fail(call, PR_TEMPFAIL, "the program that makes tokens says more than %d bytes", TOKEN_BYTES);
	}
}

static enum pr_status start_program(struct pr_call *call, struct pr_str source, struct pr_local_delivery *delivery)
{
	size_t bar = pr_str_find(source, '|');
	struct pr_str rest = pr_str_slice(source, bar + 1, source.len), word;
	struct pr_str *words = pr_arena_alloc(call->arena, PROG_WORDS_MAX * sizeof *words);
	size_t count = 0;

	if (words == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for arguments");
	while (pr_str_word(&rest, " \t", &word)) {
		if (count == PROG_WORDS_MAX)
			return pr_fail(call, PR_TEMPFAIL, "the program that makes tokens would get more than %d arguments", PROG_WORDS_MAX);
		words[count++] = word;
	}
	delivery->user = bar > 0 ? pr_str_slice(source, 0, bar) : PR_NONE;
	delivery->argv = (struct pr_list){words, count};
	return call->host->local_deliver(call, delivery);
}

static enum pr_status from_program(struct smtp_run *run, struct pr_str source, struct pr_str *token_out, int64_t *seconds_out)
{
	struct pr_call *call = run->call;
	struct pr_local_delivery delivery = {.size = sizeof delivery, .kind = PR_LOCAL_DIALOGUE, .timeout = 1, .envelope = run->envelope, .fd = -1};
	int64_t deadline = smtp_now_ms() + pr_call_remaining(call, run->smtp->wait[SMTP_WAIT_AUTH] * 1000);
	struct pr_text text;

	enum pr_status status = start_program(call, source, &delivery);
	if (status != PR_OK)
		return pr_fail(call, PR_TEMPFAIL, "%.*s: %.*s", PR_PRINT(source), PR_PRINT(call->reason));
	pr_text_init(&text, TOKEN_BYTES);
	status = read_all(call, delivery.fd, deadline, &text);
	close(delivery.fd);
	if (status == PR_OK)
		status = take_token(call, source, pr_text_str(&text), token_out, seconds_out);
	if (text.len > 0)
		explicit_bzero(text.data, text.len);
	pr_text_fini(&text);
	return status;
}

/* Under the lock, which is given back for the time of the program. */
static enum pr_status fetch(struct smtp_run *run, struct kept *kept, struct pr_str source, struct pr_str *token_out)
{
	int64_t seconds = 0;

	kept->busy = true;
	pthread_mutex_unlock(&lock);
	enum pr_status status = from_program(run, source, token_out, &seconds);
	pthread_mutex_lock(&lock);
	forget_token(kept);
	int64_t margin = seconds / 2 < MARGIN_SECONDS ? seconds / 2 : MARGIN_SECONDS;
	if (status == PR_OK)
		kept->token = duplicate(*token_out);
	kept->until = smtp_now_ms() + (status == PR_OK ? (seconds - margin) * 1000 : AFTER_FAILURE_MS);
	kept->busy = false;
	pthread_cond_broadcast(&fetched);
	return status;
}

/* The place of this source, with nobody at work in it; under the lock. */
static struct kept *wait_for_place(struct pr_str source)
{
	struct kept *kept;

	while ((kept = find_place(source)) == NULL || kept->busy)
		pthread_cond_wait(&fetched, &lock);
	kept->used = smtp_now_ms();
	return kept;
}

static enum pr_status kept_or_fetched(struct smtp_run *run, struct pr_str source, struct pr_str refused, struct pr_str *token_out)
{
	struct pr_str token = PR_NONE;
	enum pr_status status;

	pthread_mutex_lock(&lock);
	struct kept *kept = wait_for_place(source);
	bool is_new = smtp_now_ms() < kept->until;
	bool is_good = is_new && kept->token != NULL && !pr_str_equal(pr_str(kept->token), refused);
	if (is_good)
		token = pr_arena_copy(run->call->arena, pr_str(kept->token));
	if (is_good)
		status = token.data != NULL ? PR_OK : pr_fail(run->call, PR_TEMPFAIL, "no memory for a token");
	else if (is_new && kept->token == NULL)
		status = pr_fail(run->call, PR_TEMPFAIL, "%.*s: there was no token a moment ago", PR_PRINT(source));
	else
		status = fetch(run, kept, source, &token);
	pthread_mutex_unlock(&lock);
	if (status == PR_OK)
		*token_out = token;
	return status;
}

enum pr_status auth_token_get(struct smtp_run *run, struct pr_str source, struct pr_str refused, struct pr_str *token_out)
{
	struct pr_str token = PR_NONE;
	enum pr_status status = source.data[0] == '/' ? from_file(run->call, source, &token) : kept_or_fetched(run, source, refused, &token);

	if (status == PR_OK && refused.len > 0 && pr_str_equal(token, refused))
		return pr_fail(run->call, PR_TEMPFAIL, "%.*s: the token is still the one that was refused", PR_PRINT(source));
	if (status == PR_OK)
		*token_out = token;
	return status;
}
