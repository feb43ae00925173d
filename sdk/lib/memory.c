/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The heap, with one answer to being short of it: a line on stderr and abort.
 * Nobody above has to invent a recovery that no test will ever see, because the
 * queue is on disk and the master starts the role again.
 */
#include <postrider/text.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void memory_is_short(void)
{
	static const char line[] = "postrider: out of memory\n";

	/* no stdio: it may want memory itself */
	ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
	(void)ignored;
	abort();
}

void *pr_alloc(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		memory_is_short();
	return memory;
}

void *pr_resize(void *memory, size_t size)
{
	void *moved = realloc(memory, size > 0 ? size : 1);

	if (moved == NULL)
		memory_is_short();
	return moved;
}

char *pr_copy_c(const char *c_string)
{
	return pr_copy_str(pr_str(c_string));
}

char *pr_copy_str(struct pr_str str)
{
	if (str.data == NULL)
		return NULL;
	char *copy = pr_alloc(str.len + 1);
	memcpy(copy, str.data, str.len);
	return copy;
}

void pr_free(void *memory)
{
	free(memory);
}
