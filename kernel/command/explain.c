/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl explain: its words, and one address after the other.
 */
#include "kernel/command/explain.h"

#include <postrider/address.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 20)
#define TEXT_ENOUGH 65536u

struct request {
	bool json, progress;
	const char *against;
	const char *client_word;
	struct pr_str sender;
	struct pr_arena words;
	struct explain_client client;
	char **addresses;
	size_t count;
};

static int usage(void)
{
	fprintf(stderr, "usage: postriderctl explain [--json] [--sender ADDRESS] [--client ADDRESS[=NAME]] ADDRESS...\n"
	                "       postriderctl explain --against FILE [--sender ADDRESS] LIST\n"
	                "  ADDRESS -: as many as there are lines on standard input; LIST: a file of them, or -\n"
	                "  FILE: a sendmail.cf or postrider.conf; told is only what it would change\n");
	return EX_USAGE;
}

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "postriderctl explain: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EX_USAGE;
}

void explain_flush(struct explain_out *out, bool now)
{
	if (!now && out->text.len < TEXT_ENOUGH)
		return;
	if (!out->is_gone && (fwrite(out->text.data, 1, out->text.len, stdout) < out->text.len || (now && fflush(stdout) != 0)))
		out->is_gone = true;
	pr_text_clear(&out->text);
}

static int take_sender(struct request *request, const char *value)
{
	struct pr_str text = pr_str_trim(pr_str(value));

	if (pr_str_equal(text, PR_STR("<>")) || text.len == 0)
		request->sender = PR_STR("");
	else if (!explain_address(text, &request->sender))
		return complain("--sender wants an address, not %.60s", value);
	return EX_OK;
}

static int take_client(struct request *request, const char *value)
{
	request->client_word = value;
	return explain_client_parse(&request->words, pr_str(value), &request->client)
	           ? EX_OK
	           : complain("--client wants 192.0.2.1, 2001:db8::1, or one of them with =NAME, not %.100s", value);
}

static int take_against(struct request *request, const char *value)
{
	request->against = value;
	return value[0] != '\0' ? EX_OK : complain("--against wants a file");
}

static const struct {
	const char *name;
	int (*take)(struct request *request, const char *value);
} options[] = {{"--sender", take_sender}, {"--client", take_client}, {"--against", take_against}};

/* "--sender X" and "--sender=X"; *at is the last word that was used. */
static int take_option(struct request *request, char **words, size_t count, size_t *at)
{
	const char *word = words[*at];

	if (strcmp(word, "--json") == 0) {
		request->json = true;
		return EX_OK;
	}
	if (strcmp(word, "--progress") == 0) {
		request->progress = true;
		return EX_OK;
	}
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		size_t length = strlen(options[i].name);
		if (strncmp(word, options[i].name, length) != 0 || (word[length] != '=' && word[length] != '\0'))
			continue;
		if (word[length] == '=')
			return options[i].take(request, word + length + 1);
		return *at + 1 < count ? options[i].take(request, words[++*at]) : complain("%s wants a value", word);
	}
	return complain("there is no option %.100s; an address that begins with - stands behind --", word);
}

/* Options and addresses in any order; behind "--" all are addresses. */
static int take_words(struct request *request, char **words, size_t count)
{
	bool options_end = false;
	int status = EX_OK;

	for (size_t i = 0; i < count && status == EX_OK; i++) {
		if (!options_end && strcmp(words[i], "--") == 0)
			options_end = true;
		else if (!options_end && words[i][0] == '-' && words[i][1] != '\0')
			status = take_option(request, words, count, &i);
		else
			request->addresses[request->count++] = words[i];
	}
	if (status == EX_OK && request->count == 0)
		return usage();
	if (status != EX_OK || request->against == NULL)
		return status;
	if (request->json || request->client_word != NULL)
		return complain("--against compares where mail goes: %s has no meaning there", request->json ? "--json" : "--client");
	return request->count == 1 ? EX_OK : complain("--against wants one list of addresses: a file, or - for standard input");
}

static void tell_end(void *context, const struct explain_end *end)
{
	struct explain_out *out = context;

	out->form->end(out, end);
}

static void explain_one(struct explain_ask *ask, struct pr_str address)
{
	ask->out->form->begin(ask->out, address);
	if (ask->client.address.data != NULL)
		explain_check(ask, address);
	explain_follow(ask, address, tell_end, ask->out);
	ask->out->form->finish(ask->out);
}

static int explain_stdin(struct explain_ask *ask)
{
	struct explain_list list;
	struct pr_str address;

	if (!explain_list_open(&list, "-"))
		return EX_NOINPUT;
	while (!ask->out->is_gone && explain_list_next(&list, &address))
		explain_one(ask, address);
	return explain_list_close(&list);
}

static int explain_word(struct explain_ask *ask, const char *word)
{
	struct pr_str address;

	if (strcmp(word, "-") == 0)
		return explain_stdin(ask);
	if (!explain_address(pr_str(word), &address)) {
		complain("\"%.60s\" is no address", word);
		return EX_DATAERR;
	}
	explain_one(ask, address);
	return EX_OK;
}

static int explain_all(const struct arguments *arguments, const struct request *request)
{
	struct explain_out out = {.form = request->json ? &explain_json : &explain_human};
	struct tool tool;

	int worst = tool_open_tables(arguments, &tool);
	if (worst != EX_OK)
		return worst;
	struct explain_ask ask = {.tool = &tool, .sender = request->sender, .client = request->client, .out = &out};
	explain_prepare(&ask);
	pr_text_init(&out.text, TEXT_MAX);
	for (size_t i = 0; i < request->count && !out.is_gone; i++) {
		int status = explain_word(&ask, request->addresses[i]);
		worst = status != EX_OK ? status : worst;
	}
	pr_text_fini(&out.text);
	tool_close(&tool);
	if (out.is_gone)
		return EX_IOERR;
	return worst == EX_OK && ask.is_unsure ? EX_TEMPFAIL : worst;
}

int explain_tool(const struct arguments *arguments)
{
	struct request request = {.sender = PR_STR(""), .progress = isatty(STDERR_FILENO) == 1};

	request.addresses = pr_alloc(arguments->address_count * sizeof *request.addresses);
	pr_arena_init(&request.words, 65536);
	int status = take_words(&request, arguments->addresses + 1, arguments->address_count - 1);
	if (status == EX_OK && request.against != NULL)
		status = explain_against(arguments, request.against, request.addresses[0], request.sender, request.progress);
	else if (status == EX_OK)
		status = explain_all(arguments, &request);
	pr_arena_fini(&request.words);
	pr_free(request.addresses);
	return status;
}
