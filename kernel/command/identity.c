/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -d0: the block that scripts read a version and a host name from.  The names are those the rule engine uses; without an engine that
 * knows macros, the kernel's.
 */
#include "kernel/command/modes.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE "========================================================"

/* Is category 0 asked for, and how much of it? */
static long level_of_zero(const char *debug)
{
	char *end;

	if (debug == NULL)
		return -1;
	if (debug[0] == '\0')
		return 1; /* -d is -d0-99.1 */
	if (debug[0] != '0' || (debug[1] != '\0' && debug[1] != '.' && debug[1] != '-' && debug[1] != ','))
		return -1;
	for (const char *at = debug; *at != '\0' && *at != ','; at++)
		if (*at == '.')
			return strtol(at + 1, &end, 10);
	return 1;
}

/* The value of a macro, by the console: "$j". */
static struct pr_str macro(struct tool *tool, const char *name, struct pr_text *room)
{
	pr_text_clear(room);
	if (rules_console(&tool->scope, pr_str(name), room) == PR_OK && room->len > 0 && !pr_str_equal_nocase(pr_str_trim(pr_text_str(room)), PR_STR("Undefined")))
		return pr_str_trim(pr_text_str(room));
	return PR_NONE;
}

static void print_macro(struct tool *tool, const char *label, const char *name, struct pr_str instead)
{
	struct pr_text room;

	pr_text_init(&room, 4096);
	struct pr_str value = macro(tool, name, &room);
	if (value.data == NULL)
		value = instead;
	printf("%25s %s = %.*s\n", label, name, PR_PRINT(value));
	pr_text_fini(&room);
}

void identity_show(const struct arguments *arguments, struct tool *tool)
{
	long level = level_of_zero(arguments->debug);
	struct pr_str host = tool->config->options.host_name;
	size_t dot = pr_str_find(host, '.');

	if (level < 1)
		return;
	printf("Version 8.17.1.9 (postrider " PACKAGE_VERSION ")\n");
	printf(" Compiled with: DNSMAP IPV6_FULL LOG NAMED_BIND NETINET NETINET6 NETUNIX PIPELINING\n\t\tSTARTTLS\n");
	if (level >= 4)
		printf("Canonical name: %.*s\n UUCP nodename: %.*s\n", PR_PRINT(host), PR_PRINT(host));
	printf("\n============ SYSTEM IDENTITY (after readcf) ============\n");
	print_macro(tool, "(short domain name)", "$w", pr_str_slice(host, 0, dot));
	print_macro(tool, "(canonical domain name)", "$j", host);
	print_macro(tool, "(subdomain name)", "$m", pr_str_slice(host, dot + 1, host.len));
	print_macro(tool, "(node name)", "$k", host);
	printf(LINE "\n\n");
}
