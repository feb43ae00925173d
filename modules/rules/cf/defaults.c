/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is there before the first line of the file is read: this host's names in $j, $w, $m, $k and class w, the classes that tell
 * how header fields are treated, three mailers and the map of $[ $].
 */
#include "cf.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/utsname.h>

/* This host's full name: as its own name resolves, else as it is. */
static struct pr_str full_name(struct cf *cf)
{
	struct utsname names;
	struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct pr_str name;

	if (uname(&names) != 0)
		return PR_STR("localhost");
	name = pr_arena_copy(&cf->arena, pr_str(names.nodename));
	if (getaddrinfo(names.nodename, NULL, &hints, &found) == 0 && found->ai_canonname != NULL && strchr(found->ai_canonname, '.') != NULL)
		name = pr_arena_copy(&cf->arena, pr_str(found->ai_canonname));
	if (found != NULL)
		freeaddrinfo(found);
	return name;
}

static struct pr_str known_name(struct cf *cf)
{
	struct pr_call *call = cf->call;
	struct pr_str name = call->host != NULL && call->host->macro != NULL ? call->host->macro(call, PR_STR("j")) : PR_NONE;

	return name.len > 0 ? pr_arena_copy(&cf->arena, name) : full_name(cf);
}

static void host_names(struct cf *cf)
{
	struct pr_str name = known_name(cf);
	size_t dot = pr_str_find(name, '.');
	struct utsname names;

	cf->own_name = name;
	cf_macro_set_text(cf, "j", name);
	cf_macro_set_text(cf, "w", name); /* until a level says that it is the short one */
	if (dot < name.len) {
		cf_macro_set_text(cf, "m", pr_arena_copy(&cf->arena, pr_str_slice(name, dot + 1, name.len)));
		cf_phrases_add(cf_class_get(cf, 'm'), pr_str_slice(name, dot + 1, name.len));
	}
	cf_macro_set_text(cf, "k", uname(&names) == 0 ? pr_str(names.nodename) : name);
	cf_phrases_add(cf_class_get(cf, 'k'), uname(&names) == 0 ? pr_str(names.nodename) : name);
	cf_phrases_add(cf_class_get(cf, 'w'), pr_str_slice(name, 0, dot));
	cf_phrases_add(cf_class_get(cf, 'w'), name);
}

/* Rules may ask for ${opMode} while they are read: `t` in the test mode, `v` for -bv, `d` in the daemon. */
static void mode(struct cf *cf)
{
	struct pr_call *call = cf->call;
	struct pr_str letter = call->host != NULL && call->host->macro != NULL ? call->host->macro(call, PR_STR("opMode")) : PR_NONE;

	cf_macro_set_text(cf, "opMode", letter.len > 0 ? letter : PR_STR("d"));
}

static void add_name(struct cf *cf, const char *name)
{
	struct cf_phrases *names = cf_class_get(cf, 'w');
	char literal[NI_MAXHOST + 3];

	if (cf_phrases_has(names, pr_str(name)))
		return;
	cf_phrases_add(names, pr_str(name));
	pr_print(literal, sizeof literal, "[%s]", name);
	cf_phrases_add(names, pr_str(literal));
}

/* What an address is called: its name and its other names, each also in brackets. */
static void add_names(struct cf *cf, int family, const void *bytes, socklen_t length)
{
	char buffer[8192];
	struct hostent entry, *found = NULL;
	int error;

	if (gethostbyaddr_r(bytes, length, family, &entry, buffer, sizeof buffer, &found, &error) != 0 || found == NULL)
		return;
	add_name(cf, found->h_name);
	for (char **alias = found->h_aliases; *alias != NULL; alias++)
		add_name(cf, *alias);
}

/* The addresses of this host's interfaces and what they are called. */
static void add_interface(struct cf *cf, const struct sockaddr *address)
{
	char number[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 10];
	bool is_old = address->sa_family == AF_INET;
	const void *bytes = is_old ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
	                           : (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

	if (inet_ntop(address->sa_family, bytes, number, sizeof number) == NULL)
		return;
	pr_print(text, sizeof text, is_old ? "[%s]" : "[IPv6:%s]", number);
	cf_phrases_add(cf_class_get(cf, 'w'), pr_str(text));
	add_names(cf, address->sa_family, bytes, is_old ? sizeof(struct in_addr) : sizeof(struct in6_addr));
}

void cf_probe_interfaces(struct cf *cf)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next)
		if (one->ifa_addr != NULL && (one->ifa_flags & IFF_UP) && (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6) &&
		    !(one->ifa_addr->sa_family == AF_INET6 && (one->ifa_flags & IFF_LOOPBACK)))
			add_interface(cf, one->ifa_addr);
	freeifaddrs(all);
}

static const struct {
	const char *name;
	const char *words[6];
} classes[] = {
	{ "e", { "7bit", "8bit", "binary" } },
	{ "n", { "multipart/signed" } },
	{ "s", { "rfc822" } },
	{ "q", { NULL } },
	{ "t", { NULL } },
	{ "checkMIMETextHeaders", { "content-description" } },
	{ "checkMIMEFieldHeaders", { "content-type", "content-disposition" } },
	{ "checkMIMEHeaders", { "content-type", "content-disposition", "content-transfer-encoding", "content-id", "mime-version" } },
	{ "persistentMacros", { "_", "r", "s", "{daemon_flags}", "{if_addr}" } },
};

static const char *const mailers[] = {
	"prog, P=/bin/sh, F=lsoDq9u, T=X-Unix/X-Unix/X-Unix, A=sh -c $u",
	"*file*, P=[FILE], F=lsDFMPEouq9, T=X-Unix/X-Unix/X-Unix, A=FILE $u",
	"*include*, P=/dev/null, F=su, A=INCLUDE $u",
};

void cf_defaults(struct cf *cf)
{
	cf_alphabet_init(&cf->alphabet, PR_STR(".:@[]"), ' ');
	cf_macro_set_text(cf, "v", PR_STR("8.17.1.9"));
	cf_macro_set_text(cf, "n", PR_STR("MAILER-DAEMON"));
	host_names(cf);
	mode(cf);
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		for (const char *const *word = classes[i].words; *word != NULL; word++)
			cf_class_add(cf, classes[i].name, *word);
	for (size_t i = 0; i < sizeof mailers / sizeof mailers[0]; i++)
		cf_read_mailer(cf, pr_str(mailers[i]));
	cf_phrases_add(cf_class_get(cf, 'w'), PR_STR("[127.0.0.1]"));
	cf_map_add(cf, PR_STR("host"), PR_STR("host"), PR_STR("-a."));
}
