/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine reads files only, so the text goes through a file that is gone when it was read.
 */
#include "tests/unit/cf_stage.h"

#include <string.h>
#include <unistd.h>

extern const struct pr_module cf_LTX_pr_module;

struct fake_world cf_world;
struct fake_instance cf_engine;
static struct pr_text answer, messages;
static char path[64];

struct cf *cf_stage_cf(void)
{
	return cf_engine.memory;
}

const struct pr_rules_ops *cf_stage_ops(void)
{
	return cf_LTX_pr_module.ops;
}

void cf_stage_begin(void)
{
	fake_world_init(&cf_world);
	pr_text_init(&answer, 1 << 24);
	pr_text_init(&messages, 1 << 24);
}

bool cf_stage_read(const char *text)
{
	const char *options[] = { "file", path, NULL };

	snprintf(path, sizeof path, "/tmp/cf-stage-XXXXXX");
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	bool good = fake_open(&cf_engine, &cf_world, &cf_LTX_pr_module, options);
	unlink(path);
	return good;
}

bool cf_stage_open(const char *text)
{
	cf_stage_begin();
	return cf_stage_read(text);
}

void cf_stage_close(void)
{
	fake_close(&cf_engine);
	fake_world_fini(&cf_world);
	pr_text_fini(&answer);
	pr_text_fini(&messages);
}

const char *cf_stage_messages(void)
{
	const char *rest = cf_stage_cf()->messages.data;
	size_t skipped = strlen(path) + 2;

	pr_text_clear(&messages);
	for (const char *found = strstr(rest, path); found != NULL; found = strstr(rest, path)) {
		pr_text_add(&messages, rest, (size_t)(found - rest));
		rest = found + skipped;
	}
	pr_text_add_c(&messages, rest);
	return messages.data;
}

const char *cf_stage_ask(const char *line)
{
	pr_text_clear(&answer);
	cf_stage_ops()->console(fake_call(&cf_engine), pr_str(line), &answer);
	return answer.data;
}

const char *cf_stage_rewrite(const char *set, const char *address)
{
	char line[4096];

	snprintf(line, sizeof line, "%s %s", set, address);
	cf_stage_ask(line);
	/* the last line is the result, unless a status follows it */
	char *last = NULL;
	for (char *at = answer.data; (at = strstr(at, "returns:")) != NULL; at++)
		last = at;
	if (last == NULL)
		return answer.data;
	last += strlen("returns:");
	last[strcspn(last, "\n")] = '\0';
	return *last == ' ' ? last + 1 : last;
}

bool cf_same(const char *what, const char *wanted, const char *got)
{
	if (strcmp(wanted, got) == 0)
		return true;
	printf("\n  %s\n    wanted %s\n    got    %s\n", what, wanted, got);
	return false;
}
