/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two tables: program names that are programs of their own, and the letters of -b.  Everything else is one call.
 */
#include "kernel/command/command.h"

#include "kernel/command/modes.h"
#include "kernel/command/sendmail/submit.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct program {
	const char *name;
	int (*run)(int argc, char **argv);
} programs[] = {
    {"mailstats", mailstats_main},
    {"makemap", makemap_main},
    {"postriderctl", control_main},
};

static int option_names(const struct arguments *arguments)
{
	(void)arguments;
	for (const struct pr_option *option = options_table; option->name != NULL; option++)
		printf("%s\n", option->name);
	return EX_OK;
}

static int configuration_check(const struct arguments *arguments)
{
	int status = check_mode(arguments);

	return status == EX_CONFIG ? EX_SOFTWARE : status; /* sendmail has no status for a bad line, but for files and values */
}

static const struct mode {
	char letter;
	int (*run)(const struct arguments *arguments);
} modes[] = {
    {'m', submit_main},
    {'a', submit_main},
    {'s', proxy_main},
    {'d', daemon_mode},
    {'D', daemon_mode},
    {'p', mailq_mode},
    {'q', run_mode},
    {'i', aliases_mode},
    {'v', verify_mode},
    {'t', console_mode},
    {'C', configuration_check},
    {'O', option_names},
    {'h', host_status_mode},
    {'H', host_purge_mode},
    {'P', mailq_counts_mode},
};

static int run(const struct arguments *arguments)
{
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (modes[i].letter == arguments->mode)
			return modes[i].run(arguments);
	return EX_USAGE;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const struct program *find_program(const char *name)
{
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (strcmp(name, programs[i].name) == 0)
			return &programs[i];
	return NULL;
}

int arguments_run(int argc, char **argv, int (*mode)(const struct arguments *))
{
	struct arguments arguments;
	struct pr_text error;

	pr_text_init(&error, 1000);
	int status = arguments_parse(argc, argv, &arguments, &error);
	if (status != EX_OK)
		fprintf(stderr, "%s\n", error.data);
	else
		status = mode(&arguments);
	arguments_fini(&arguments);
	pr_text_fini(&error);
	return status;
}

static int run_mode_of(int argc, char **argv)
{
	return arguments_run(argc, argv, run);
}

/* `postrider mailq` is mailq: in a build tree there are no links of the other names. */
static bool is_name(const char *word)
{
	return find_program(word) != NULL || arguments_name_mode(word) != 0 || strcmp(word, "sendmail") == 0;
}

int command_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(last_part(argv[0]), "postrider") == 0 && is_name(argv[1])) {
		argc--;
		argv++;
	}
	const struct program *program = argc > 0 ? find_program(last_part(argv[0])) : NULL;
	return program != NULL ? program->run(argc, argv) : run_mode_of(argc, argv);
}
