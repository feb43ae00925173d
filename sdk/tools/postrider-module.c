/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postrider-module: begin a module, and try one out without a daemon.
 * A table of commands; each loads the module with this program's tiny host (host.c) and asks it one thing.
 */
#include "store.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *templates = TEMPLATE_DIR;

void tool_complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("postrider-module: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int tool_answer(const struct loaded *loaded, enum pr_status status)
{
	static const int exits[] = {
	    [PR_OK] = EX_OK, [PR_NOTFOUND] = 1, [PR_TEMPFAIL] = EX_TEMPFAIL, [PR_PERMFAIL] = EX_UNAVAILABLE, [PR_MISUSE] = EX_USAGE,
	};

	if (status != PR_OK && loaded->call.reason.data != NULL)
		tool_complain("%s: %.*s", pr_status_name(status), PR_PRINT(loaded->call.reason));
	else if (status != PR_OK)
		tool_complain("%s", pr_status_name(status));
	return (unsigned int)status < sizeof exits / sizeof exits[0] ? exits[status] : EX_SOFTWARE;
}

static const char *kind_name(uint32_t kind)
{
	static const char *const names[] = {"?", "map", "mailer", "filter", "rules", "store", "auth"};

	return kind < sizeof names / sizeof names[0] ? names[kind] : names[0];
}

static bool is_kind(const struct loaded *loaded, enum pr_kind kind)
{
	if (loaded->module->kind == (uint32_t)kind)
		return true;
	tool_complain("%s is a %s, not a %s", loaded->module->name, kind_name(loaded->module->kind), kind_name((uint32_t)kind));
	return false;
}

static int run_new(char **words)
{
	return tool_new(templates, words[0], words[1]);
}

static void print_options(const struct loaded *loaded)
{
	struct pr_text value;

	pr_text_init(&value, 4096);
	for (const struct pr_option *option = loaded->module->options; option != NULL && option->name != NULL; option++) {
		pr_text_clear(&value);
		pr_option_print(option, loaded->call.instance, &value);
		printf("  %-16s %-16s %s\n", option->name, value.data, option->help != NULL ? option->help : "");
	}
	pr_text_fini(&value);
}

static int run_check(char **words)
{
	struct loaded loaded;
	bool good = tool_load(&loaded, words[0], words + 1, true);

	if (good) {
		const struct pr_module *module = loaded.module;
		printf("%s %s: %s %s, ABI %u.%u%s%s\n", kind_name(module->kind), module->name, module->summary != NULL ? module->summary : "",
		    module->version != NULL ? module->version : "", module->abi_major, module->abi_minor,
		    (module->flags & PR_CONCURRENT) != 0 ? ", concurrent" : "", (module->flags & PR_PROMPT) != 0 ? ", prompt" : "");
		print_options(&loaded);
	}
	tool_unload(&loaded);
	return good ? EX_OK : EX_CONFIG;
}

static int run_lookup(char **words)
{
	struct loaded loaded;
	struct pr_str value = PR_NONE;
	int result = EX_CONFIG;

	if (tool_load(&loaded, words[0], words + 2, true) && is_kind(&loaded, PR_KIND_MAP)) {
		const struct pr_map_ops *map = loaded.module->ops;
		enum pr_status status = map->lookup(&loaded.call, pr_str(words[1]), NULL, &value);
		if (status == PR_OK) {
			fwrite(value.data, 1, value.len, stdout);
			fputc('\n', stdout);
		}
		result = tool_answer(&loaded, status);
	}
	tool_unload(&loaded);
	return result;
}

static int run_deliver(char **words)
{
	struct loaded loaded;
	struct tool_message message;
	int result = EX_CONFIG;

	if (tool_load(&loaded, words[0], words + 2, true)) {
		bool is_filter = loaded.module->kind == PR_KIND_FILTER;
		result = EX_DATAERR;
		if (!is_filter && !is_kind(&loaded, PR_KIND_MAILER))
			result = EX_USAGE;
		else if (tool_message_read(&message, words[1])) {
			result = is_filter ? tool_filter(&loaded, &message) : tool_deliver(&loaded, &message);
			tool_message_fini(&message);
		}
	}
	tool_unload(&loaded);
	return result;
}

static const struct command {
	const char *name;
	int least, most; /* words after the name */
	int (*run)(char **words);
	const char *usage;
} commands[] = {
    {"new", 2, 2, run_new, "new map|mailer|filter NAME"},
    {"check", 1, 1000, run_check, "check FILE.so [name=value ...]"},
    {"lookup", 2, 1000, run_lookup, "lookup FILE.so KEY [name=value ...]"},
    {"store", 1, 1000, tool_store, "store [-v] FILE.so [name=value ...]"},
    {"store-child", 3, 1000, tool_store_child, NULL}, /* of the case of processes */
    {"deliver", 2, 1000, run_deliver, "deliver FILE.so RECIPIENT [name=value ...] < MESSAGE"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int usage(void)
{
	fputs("usage:\n", stderr);
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].usage != NULL)
			fprintf(stderr, "  postrider-module %s%s\n", i == 0 ? "[-T templates] " : "", commands[i].usage);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "+T:")) != -1) {
		if (letter != 'T')
			return usage();
		templates = optarg;
	}
	if (optind >= argc)
		return usage();
	int words = argc - optind - 1;
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, argv[optind]) == 0 && words >= commands[i].least && words <= commands[i].most) {
			int result = commands[i].run(argv + optind + 1);
			return fflush(stdout) == 0 && !ferror(stdout) ? result : EX_IOERR;
		}
	return usage();
}
