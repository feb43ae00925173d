/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libedit where standard input and output are terminals, fgets elsewhere: thousands of lines a second come through a pipe, and
 * their answers are written when the buffer is full.
 * The library is loaded only then: the daemon, whose root process is this program too, never has it in its memory.  Without it the
 * prompt is plain.
 */
#include "kernel/command/prompt.h"

#include <dlfcn.h>
#include <histedit.h>
#include <postrider/arena.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM 2048
#define HISTORY_LINES 1000

#define EDIT_LIBRARY "libedit.so.2"

/* The library's functions, by the types of its header. */
struct editor {
	__typeof__(el_init) *init;
	__typeof__(el_end) *end;
	__typeof__(el_gets) *read_line;
	__typeof__(el_set) *set;
	__typeof__(el_get) *get;
	__typeof__(el_line) *line;
	__typeof__(el_insertstr) *insert;
	__typeof__(el_source) *source;
	__typeof__(history_init) *history_init;
	__typeof__(history_end) *history_end;
	__typeof__(history) *history;
};

static struct editor editor;

static const struct {
	const char *name;
	size_t field;
} functions[] = {
    {"el_init", offsetof(struct editor, init)},
    {"el_end", offsetof(struct editor, end)},
    {"el_gets", offsetof(struct editor, read_line)},
    {"el_set", offsetof(struct editor, set)},
    {"el_get", offsetof(struct editor, get)},
    {"el_line", offsetof(struct editor, line)},
    {"el_insertstr", offsetof(struct editor, insert)},
    {"el_source", offsetof(struct editor, source)},
    {"history_init", offsetof(struct editor, history_init)},
    {"history_end", offsetof(struct editor, history_end)},
    {"history", offsetof(struct editor, history)},
};

static bool load_editor(void)
{
	void *library = dlopen(EDIT_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library != NULL && i < sizeof functions / sizeof functions[0]; i++) {
		void *address = dlsym(library, functions[i].name);
		if (address == NULL)
			return false;
		memcpy((char *)&editor + functions[i].field, &address, sizeof address);
	}
	return library != NULL;
}

struct prompt {
	EditLine *edit; /* NULL: no terminal */
	History *history;
	const char *const *words;
	bool shown; /* output is a terminal */
	char line[LINE_ROOM];
};

static char *show(EditLine *edit)
{
	static char text[] = "> ";

	(void)edit;
	return text;
}

/* What is common to all words that begin so; the number of them. */
static size_t find_common(const struct prompt *prompt, const char *begin, size_t length, const char **word_out, size_t *common_out)
{
	size_t count = 0;

	for (const char *const *word = prompt->words; *word != NULL; word++) {
		if (strncmp(*word, begin, length) != 0)
			continue;
		size_t same = 0;
		while (count > 0 && (*word)[same] != '\0' && (*word)[same] == (*word_out)[same])
			same++;
		*common_out = count == 0 ? strlen(*word) : same < *common_out ? same : *common_out;
		*word_out = *word;
		count++;
	}
	return count;
}

static unsigned char complete(EditLine *edit, int key)
{
	const LineInfo *line = editor.line(edit);
	size_t length = (size_t)(line->cursor - line->buffer), common = 0;
	struct prompt *prompt = NULL;
	const char *word = NULL;
	char rest[64];

	(void)key;
	(void)editor.get(edit, EL_CLIENTDATA, &prompt);
	if (memchr(line->buffer, ' ', length) != NULL)
		return CC_ERROR;
	size_t count = find_common(prompt, line->buffer, length, &word, &common);
	if (count == 0 || common - length >= sizeof rest - 1 || (common == length && count > 1))
		return CC_ERROR;
	memcpy(rest, word + length, common - length);
	rest[common - length] = '\0';
	if (count == 1 && word[common - 1] != '=')
		memcpy(rest + (common - length), " ", 2);
	return editor.insert(edit, rest) == 0 ? CC_REFRESH : CC_ERROR;
}

static void open_terminal(struct prompt *prompt)
{
	HistEvent event;

	prompt->edit = editor.init("sendmail", stdin, stdout, stderr);
	prompt->history = editor.history_init();
	if (prompt->edit == NULL || prompt->history == NULL)
		return;
	(void)editor.history(prompt->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)editor.set(prompt->edit, EL_PROMPT, show);
	(void)editor.set(prompt->edit, EL_EDITOR, "emacs");
	(void)editor.set(prompt->edit, EL_HIST, editor.history, prompt->history);
	(void)editor.set(prompt->edit, EL_CLIENTDATA, prompt);
	(void)editor.set(prompt->edit, EL_SIGNAL, 1);
	(void)editor.set(prompt->edit, EL_ADDFN, "complete", "complete a command", complete);
	(void)editor.set(prompt->edit, EL_BIND, "^I", "complete", NULL);
	(void)editor.source(prompt->edit, NULL);
}

struct prompt *prompt_open(const char *const *words)
{
	struct prompt *prompt = pr_alloc(sizeof *prompt);

	prompt->words = words;
	prompt->shown = isatty(STDOUT_FILENO) != 0;
	if (prompt->shown && isatty(STDIN_FILENO) && load_editor())
		open_terminal(prompt);
	return prompt;
}

static bool next_edited(struct prompt *prompt)
{
	HistEvent event;
	int length = 0;

	(void)fflush(stdout);
	const char *text = editor.read_line(prompt->edit, &length);
	if (text == NULL || length <= 0)
		return false;
	if (text[0] != '\n')
		(void)editor.history(prompt->history, &event, H_ENTER, text);
	size_t keep = (size_t)length < LINE_ROOM - 1 ? (size_t)length : LINE_ROOM - 1;
	memcpy(prompt->line, text, keep);
	prompt->line[keep] = '\0';
	return true;
}

bool prompt_next(struct prompt *prompt, struct pr_str *line_out)
{
	if (prompt->edit != NULL && prompt->history != NULL) {
		if (!next_edited(prompt))
			return false;
	} else {
		fputs("> ", stdout);
		if (prompt->shown) /* asked once: a pipe gets no system call for each line */
			(void)fflush(stdout);
		if (fgets(prompt->line, sizeof prompt->line, stdin) == NULL)
			return false;
	}
	*line_out = (struct pr_str){prompt->line, strcspn(prompt->line, "\n")};
	prompt->line[line_out->len] = '\0';
	return true;
}

void prompt_close(struct prompt *prompt)
{
	if (prompt->history != NULL)
		editor.history_end(prompt->history);
	if (prompt->edit != NULL)
		editor.end(prompt->edit);
	pr_free(prompt);
}
