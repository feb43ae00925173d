/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every question is a walk over the lines of the world, which is slow and plain.  The world hangs on call->kernel.
 */
#include "tests/unit/fake_host.h"

#include <postrider/file.h>
#include <stdio.h>
#include <string.h>

void fake_world_init(struct fake_world *world)
{
	memset(world, 0, sizeof *world);
	pr_arena_init(&world->arena, (size_t)16 << 20);
	world->own_name = PR_STR("mail.corp.example");
}

void fake_world_fini(struct fake_world *world)
{
	pr_arena_fini(&world->arena);
	pr_free(world->lines);
}

void fake_world_add(struct fake_world *world, const char *text)
{
	struct pr_str rest = pr_arena_copy(&world->arena, pr_str(text)), piece;
	struct fake_line line = {0};
	size_t count = 0;

	if (world->count == world->room) {
		world->room = world->room * 2 + 16;
		world->lines = pr_resize(world->lines, world->room * sizeof *world->lines);
	}
	while (count < 3 && pr_str_next(&rest, count == 2 && pr_str_equal(line.words[0], PR_STR("map")) ? '\t' : ' ', &piece))
		line.words[count++] = pr_arena_copy(&world->arena, piece);
	if (rest.data != NULL)
		line.words[3] = pr_arena_copy(&world->arena, pr_str_trim(rest));
	world->lines[world->count++] = line;
}

bool fake_world_read(struct fake_world *world, const char *path)
{
	struct pr_text bytes, why;
	struct pr_str rest, line;

	pr_text_init(&bytes, 1 << 20);
	pr_text_init(&why, 1000);
	bool good = pr_file_read(path, 1 << 20, &bytes, &why) == PR_OK;
	if (!good)
		fprintf(stderr, "%s: %s\n", path, why.data);
	for (rest = pr_text_str(&bytes); good && pr_str_next(&rest, '\n', &line);)
		if (line.len > 0 && line.data[0] != '#')
			fake_world_add(world, pr_arena_copy(&world->arena, line).data);
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	return good;
}

static const struct fake_line *find(struct pr_call *call, const char *kind, struct pr_str name, struct pr_str key, size_t *from)
{
	const struct fake_world *world = call->kernel;

	for (size_t i = from != NULL ? *from : 0; i < world->count; i++) {
		const struct fake_line *line = &world->lines[i];
		if (pr_str_equal(line->words[0], pr_str(kind)) && pr_str_equal_nocase(line->words[1], name) &&
		    (key.data == NULL || pr_str_equal_nocase(line->words[2], key))) {
			if (from != NULL)
				*from = i + 1;
			return line;
		}
	}
	return NULL;
}

static bool map_exists(struct pr_call *call, struct pr_str map)
{
	return find(call, "map", map, PR_NONE, NULL) != NULL || find(call, "broken", map, PR_NONE, NULL) != NULL ||
	       find(call, "missing", map, PR_NONE, NULL) != NULL;
}

static enum pr_status map_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args,
                                 struct pr_str *value_out)
{
	(void)args;
	if (find(call, "broken", map, PR_NONE, NULL) != NULL)
		return pr_fail(call, PR_TEMPFAIL, "%.*s: the disk is on fire", PR_PRINT(map));
	if (find(call, "missing", map, PR_NONE, NULL) != NULL)
		return pr_fail(call, PR_TEMPFAIL, "missing map file %.*s.db: No such file or directory", PR_PRINT(map));
	const struct fake_line *line = find(call, "map", map, key, NULL);
	if (line == NULL)
		return map_exists(call, map) ? PR_NOTFOUND : pr_fail(call, PR_MISUSE, "no map %.*s", PR_PRINT(map));
	*value_out = line->words[3];
	return PR_OK;
}

/* The arguments name the map; of the classes only ldap has no module. */
static enum pr_status map_ask(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
    struct pr_str *value_out)
{
	(void)name;
	if (pr_str_equal(class_name, PR_STR("ldap")))
		return pr_fail(call, PR_MISUSE, "there is no module maps/ldap");
	return map_lookup(call, arguments, key, NULL, value_out);
}

static struct pr_str option(struct pr_call *call, struct pr_str name)
{
	const struct fake_line *line = find(call, "option", name, PR_NONE, NULL);

	return line != NULL ? line->words[2] : PR_NONE;
}

static struct pr_str macro(struct pr_call *call, struct pr_str name)
{
	const struct fake_world *world = call->kernel;
	const struct fake_line *line = find(call, "macro", name, PR_NONE, NULL);

	if (line != NULL)
		return line->words[2];
	return pr_str_equal(name, PR_STR("j")) ? world->own_name : PR_NONE;
}

static enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	struct pr_mx *list = pr_arena_alloc(call->arena, 20 * sizeof *list);
	const struct fake_line *line;
	size_t count = 0, from = 0;

	if (find(call, "dns", domain, PR_STR("fail"), NULL) != NULL)
		return pr_fail(call, PR_TEMPFAIL, "name server failed");
	while (count < 20 && (line = find(call, "dns", domain, PR_STR("mx"), &from)) != NULL) {
		struct pr_str name = line->words[3];
		name = pr_str_slice(name, pr_str_find(name, ' ') + 1, name.len);
		list[count] = (struct pr_mx){.name = pr_str_equal(name, PR_STR(".")) ? PR_STR("") : name, .preference = (uint32_t)count + 1};
		count++;
	}
	*mx_out = list;
	*count_out = count;
	return count > 0 ? PR_OK : PR_NOTFOUND;
}

static enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out)
{
	if (find(call, "dns", name, PR_STR("fail"), NULL) != NULL)
		return pr_fail(call, PR_TEMPFAIL, "name server failed");
	addresses_out->count = 1;
	return find(call, "dns", name, PR_STR("a"), NULL) != NULL ? PR_OK : PR_NOTFOUND;
}

static enum pr_status dns_name(struct pr_call *call, struct pr_str address, struct pr_str *name_out)
{
	const struct fake_line *line = find(call, "ptr", address, PR_NONE, NULL);

	if (line == NULL)
		return PR_NOTFOUND;
	*name_out = line->words[2];
	return PR_OK;
}

static enum pr_status user_find(struct pr_call *call, struct pr_str name, uint32_t *uid_out, struct pr_str *home_out)
{
	*uid_out = 1000;
	if (home_out != NULL)
		*home_out = PR_STR("/nonexistent");
	return find(call, "user", name, PR_NONE, NULL) != NULL ? PR_OK : PR_NOTFOUND;
}

static struct pr_str own_name(struct pr_call *call)
{
	(void)call;
	return PR_STR("own");
}

static bool macro_set(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	struct fake_world *world = call->kernel;

	world->set_name = pr_arena_copy(&world->arena, name);
	world->set_value = pr_arena_copy(&world->arena, value);
	return !pr_str_equal(name, PR_STR("readonly"));
}

static const char *type_word(uint32_t type)
{
	static const struct { uint32_t type; const char *word; } words[] = { { 1, "a" }, { 28, "aaaa" }, { 15, "mx" }, { 16, "txt" },
		{ 12, "ptr" }, { 5, "cname" }, { 2, "ns" }, { 33, "srv" } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].type == type)
			return words[i].word;
	return "?";
}

static enum pr_status dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out,
                                  size_t *count_out)
{
	struct pr_dns_record *records = pr_arena_alloc(call->arena, 20 * sizeof *records);
	size_t from = 0, count = 0;

	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	const struct fake_line *line = type == 5 ? NULL : find(call, "dns", name, PR_STR("cname"), NULL);
	if (find(call, "dns", name, PR_STR("fail"), NULL) != NULL)
		return pr_fail(call, PR_TEMPFAIL, "name server failed");
	if (line != NULL)
		name = line->words[3];
	while (count < 20 && (line = find(call, "dns", name, pr_str(type_word(type)), &from)) != NULL) {
		struct pr_str text = line->words[3];
		size_t blank = type == 15 ? pr_str_find(text, ' ') : text.len;
		uint64_t preference = 0;
		if (type == 15 && pr_str_number(pr_str_slice(text, 0, blank), 65535, &preference))
			text = pr_str_slice(text, blank + 1, text.len); /* "0" alone is a null MX */
		records[count++] = (struct pr_dns_record){ .type = type, .preference = (uint32_t)preference, .ttl = 60, .name = name, .text = text };
	}
	*records_out = records;
	*count_out = count;
	return count > 0 ? PR_OK : PR_NOTFOUND;
}

static void log_nothing(struct pr_call *call, uint32_t level, const char *format, ...)
{
	(void)call;
	(void)level;
	(void)format;
}

static bool set_options(struct fake_instance *instance, const char *const *options)
{
	struct pr_str why = PR_NONE;

	if (pr_option_defaults(instance->module->options, instance->memory, &instance->options, &why) != PR_OK)
		return false;
	for (; options != NULL && options[0] != NULL; options += 2) {
		const struct pr_option *option_row = pr_option_find(instance->module->options, pr_str(options[0]));
		if (option_row == NULL || pr_option_parse(option_row, pr_str(options[1]), instance->memory, &instance->options, &why) != PR_OK) {
			fprintf(stderr, "option %s: %.*s\n", options[0], PR_PRINT(why));
			return false;
		}
	}
	return true;
}

bool fake_open(struct fake_instance *instance, struct fake_world *world, const struct pr_module *module, const char *const *options)
{
	memset(instance, 0, sizeof *instance);
	instance->module = module;
	instance->memory = pr_alloc(module->instance_size + 1);
	instance->thread = pr_alloc(module->thread_size + 1);
	pr_arena_init(&instance->options, (size_t)16 << 20);
	pr_arena_init(&instance->arena, (size_t)64 << 20);
	instance->host = (struct pr_host){ .size = sizeof instance->host, .map_lookup = map_lookup, .map_exists = map_exists,
		.option = option, .macro = macro, .dns_mx = dns_mx, .dns_addresses = dns_addresses, .dns_name = dns_name,
		.user_find = user_find, .own_name = own_name, .dns_records = dns_records, .macro_set = macro_set, .log = log_nothing, .map_ask = map_ask };
	instance->call = (struct pr_call){ .size = sizeof instance->call, .host = &instance->host, .arena = &instance->arena,
		.instance = instance->memory, .thread = instance->thread, .kernel = world };
	if (!set_options(instance, options))
		return false;
	return (module->check == NULL || module->check(fake_call(instance)) == PR_OK) &&
	       (module->open == NULL || module->open(fake_call(instance)) == PR_OK) &&
	       (module->thread_open == NULL || module->thread_open(fake_call(instance)) == PR_OK);
}

void fake_close(struct fake_instance *instance)
{
	if (instance->module->thread_close != NULL)
		instance->module->thread_close(fake_call(instance));
	if (instance->module->close != NULL)
		instance->module->close(fake_call(instance));
	pr_free(instance->memory);
	pr_free(instance->thread);
	pr_arena_fini(&instance->options);
	pr_arena_fini(&instance->arena);
}

struct pr_call *fake_call(struct fake_instance *instance)
{
	pr_arena_reset(&instance->arena);
	instance->call.reason = PR_NONE;
	return &instance->call;
}
