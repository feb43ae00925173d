/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -bt: the rule engine's own console.  The words are sendmail's, and so is what goes on when something cannot be used: what is
 * wrong is told, and the rest can be tried.
 */
#include "kernel/command/modes.h"

#include "kernel/command/prompt.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ANSWER_MAX (8u << 20)

static const char *const words[] = {"/canon", "/help", "/map", "/mx", "/parse", "/quit", "/try", "/tryflags", "3,0", "=M", "=S", "$=", ".D", ".C",
    "-d21.12", NULL};

/* What an engine has to say meanwhile goes to stderr, and stands where it belongs. */
static void answer(struct tool *tool, struct pr_str line, struct pr_text *out, enum pr_status *status)
{
	pr_text_clear(out);
	pr_arena_reset(&tool->arena);
	*status = rules_console(&tool->scope, line, out);
	(void)fwrite(out->data, 1, out->len, stdout);
}

static int refuse(const struct tool *tool)
{
	(void)fflush(stdout);
	fprintf(stderr,
	    "Address test mode needs a rule engine with a console: %.*s.  sendmail -bv ADDRESS shows where mail "
	    "goes.\n",
	    PR_PRINT(tool->scope.reason));
	return EX_USAGE;
}

static int converse(struct tool *tool, bool echoes)
{
	enum pr_status status = PR_OK;
	struct prompt *prompt = prompt_open(words);
	struct pr_text out;
	struct pr_str line;

	pr_text_init(&out, ANSWER_MAX);
	while (status != PR_NOTFOUND && status != PR_MISUSE && prompt_next(prompt, &line)) {
		if (echoes)
			printf("%.*s\n", PR_PRINT(line));
		answer(tool, line, &out, &status);
	}
	pr_text_fini(&out);
	prompt_close(prompt);
	return status == PR_MISUSE ? refuse(tool) : EX_OK;
}

static void type(struct tool *tool, const char *before, const char *text, size_t length)
{
	struct pr_text line, out;
	enum pr_status status;

	pr_text_init(&line, 4096);
	pr_text_init(&out, 65536);
	pr_text_addf(&line, "%s%.*s", before, (int)length, text);
	answer(tool, pr_text_str(&line), &out, &status);
	pr_text_fini(&out);
	pr_text_fini(&line);
}

/* -d21.12 is the line "-d21.12". */
static void set_levels(const struct arguments *arguments, struct tool *tool)
{
	if (arguments->debug != NULL && arguments->debug[0] != '\0' && arguments->debug[0] != '0')
		type(tool, "-d", arguments->debug, strlen(arguments->debug));
}

/* -M, -p and -h are macros, as if they were typed: ".Dfjoe". */
static void set_macros(const struct arguments *arguments, struct tool *tool)
{
	const char *protocol = arguments->protocol;

	for (size_t i = 0; i < arguments->macro_count; i++)
		type(tool, ".D", arguments->macros[i], strlen(arguments->macros[i]));
	if (protocol != NULL) {
		size_t colon = strcspn(protocol, ":");
		type(tool, ".Dr", protocol, colon);
		if (protocol[colon] == ':')
			type(tool, ".Ds", protocol + colon + 1, strlen(protocol + colon + 1));
	}
	if (arguments->hops != NULL)
		type(tool, ".Dc", arguments->hops, strlen(arguments->hops));
}

int console_mode(const struct arguments *arguments)
{
	struct tool tool;

	int status = tool_open_lenient(arguments, &tool, stdout);
	if (status != EX_OK)
		return status;
	identity_show(arguments, &tool);
	printf("ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)\nEnter <ruleset> <address>\n");
	set_levels(arguments, &tool);
	set_macros(arguments, &tool);
	status = converse(&tool, arguments->verbose && !isatty(STDIN_FILENO));
	if (status == EX_OK)
		status = (int)rules_exit_status(&tool.scope); /* what was wrong with the file, or on the way, is told at the end once more */
	if (status == EX_OK)
		status = (int)tool.config->exit_status;
	tool_close(&tool);
	return status;
}
