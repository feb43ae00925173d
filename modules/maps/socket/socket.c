/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map behind a socket: "NAME key" goes out as a netstring, "OK value", "NOTFOUND", "TEMP", "TIMEOUT" or "PERM" comes back.
 * Each thread keeps its connection; one that the server has closed meanwhile is opened again, once.
 */
#include "line.h"

#include <postrider/mapflags.h>

#include <errno.h>
#include <string.h>
#include <time.h>

struct socket_map {
	struct pr_map_flags flags;
	struct pr_str endpoint;
	int64_t timeout;
};

struct socket_thread {
	struct line line;
};

static bool talk(struct line *line, struct pr_str request, struct pr_text *answer)
{
	pr_text_clear(answer);
	if (line_send(line, request) && line_receive(line, answer))
		return true;
	int error = errno;
	line_close(line);
	errno = error;
	return false;
}

/* On a kept connection a failure may only mean that the server went away since; on a fresh one it is one. */
static bool ask(const struct socket_map *map, struct line *line, struct pr_str request, struct pr_text *answer)
{
	if (line->fd >= 0 && talk(line, request, answer))
		return true;
	if (line->fd < 0 && !line_connect(line, map->endpoint))
		return false;
	return talk(line, request, answer);
}

static const struct {
	const char *word;
	enum pr_status status;
} words[] = { { "OK", PR_OK }, { "NOTFOUND", PR_NOTFOUND }, { "TEMP", PR_TEMPFAIL }, { "TIMEOUT", PR_TEMPFAIL }, { "PERM", PR_PERMFAIL } };

static enum pr_status read_answer(struct pr_call *call, struct pr_str answer, struct pr_str *raw_out)
{
	size_t end = pr_str_find(answer, ' ');
	struct pr_str word = pr_str_slice(answer, 0, end), rest = pr_str_slice(answer, end + 1, answer.len);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!pr_str_equal(word, pr_str(words[i].word)))
			continue;
		if (words[i].status == PR_OK)
			*raw_out = pr_arena_copy(call->arena, rest.len > 0 ? rest : PR_STR(""));
		else if (words[i].status != PR_NOTFOUND)
			return pr_fail(call, words[i].status, "the server says %.*s", PR_PRINT(answer));
		return words[i].status;
	}
	return pr_fail(call, PR_PERMFAIL, "the server says %.*s, which is no answer", PR_PRINT(pr_str_slice(answer, 0, 200)));
}

static enum pr_status look(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	const struct socket_map *map = call->instance;
	struct socket_thread *thread = call->thread;
	struct pr_str plain = pr_arena_printf(call->arena, "%.*s %.*s", PR_PRINT(pr_own_name(call)), PR_PRINT(key));
	struct pr_str request = pr_arena_printf(call->arena, "%zu:%.*s,", plain.len, PR_PRINT(plain));
	struct pr_text answer;
	struct timespec now;

	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	if (plain.data == NULL || request.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the request");
	clock_gettime(CLOCK_MONOTONIC, &now);
	thread->line.until_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + pr_call_remaining(call, map->timeout * 1000);
	pr_text_init(&answer, LINE_ANSWER_MAX);
	enum pr_status status = PR_TEMPFAIL;
	if (ask(map, &thread->line, request, &answer))
		status = read_answer(call, pr_text_str(&answer), raw_out);
	else
		pr_fail(call, PR_TEMPFAIL, "%.*s: %s", PR_PRINT(map->endpoint), errno == EPROTO ? "no netstring came back" : strerror(errno));
	pr_text_fini(&answer);
	return status;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct socket_map *map = call->instance;
	struct pr_str folded = pr_map_fold(call, &map->flags, key), raw = PR_NONE;

	if (folded.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	enum pr_status status = look(call, folded, &raw);
	return pr_map_answer(call, &map->flags, status, map->flags.match_only ? folded : key, args, raw, value_out);
}

static const struct pr_map_flag letters[] = { PR_MAP_FLAG('d', PR_MAP_TIME, struct socket_map, timeout), PR_MAP_FLAG_END };

static enum pr_status check(struct pr_call *call)
{
	struct socket_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);
	struct pr_str rest = map->flags.words;

	if (status != PR_OK)
		return status;
	if (map->endpoint.len == 0)
		pr_map_word(&rest, &map->endpoint);
	if (!line_is_endpoint(map->endpoint))
		return pr_fail(call, PR_MISUSE, "endpoint: \"%.*s\" is neither inet:port@host, inet6:port@host nor unix:/path", PR_PRINT(map->endpoint));
	if (map->timeout <= 0)
		return pr_fail(call, PR_MISUSE, "timeout: a server gets at least a second");
	return PR_OK;
}

static enum pr_status thread_open(struct pr_call *call)
{
	struct socket_thread *thread = call->thread;

	thread->line.fd = -1;
	return PR_OK;
}

static void thread_close(struct pr_call *call)
{
	struct socket_thread *thread = call->thread;

	line_close(&thread->line);
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct socket_map, flags),
	PR_OPTION(struct socket_map, endpoint, "endpoint", PR_OPTION_STRING, 0, NULL, "inet:port@host, inet6:port@host or unix:/path"),
	PR_OPTION(struct socket_map, timeout, "timeout", PR_OPTION_TIME, 0, "30s", "longest wait for one answer (-d)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(socket) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct socket_map),
	.thread_size = sizeof(struct socket_thread), .name = "socket", .version = "1.0", .summary = "asks a server over a socket",
	.options = options, .check = check, .thread_open = thread_open, .thread_close = thread_close, .ops = &ops };
