/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The full name of a host, what $[ $] in rules asks: through the services of the service switch file, files and dns.
 * An address in brackets becomes the name it has.  In DNS a name counts as full when it has an address or takes mail (MX), with the resolver's
 * search list behind it; aliases become the name they stand for.  What was found is remembered as long as DNS allows, an hour at most.
 */
#include "../sequence/services.h"
#include "cache.h"
#include "files.h"

#include <postrider/mapflags.h>

#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <time.h>

#define HOSTS_DEFAULT_FILE "/etc/hosts"
#define TTL_MAX 3600
#define TTL_FILES 60 /* also of names that do not exist */
#define SEARCH_MAX 6
#define NAME_MAX_BYTES 255

enum { RECORD_A = 1, RECORD_CNAME = 5, RECORD_MX = 15, RECORD_AAAA = 28 };

struct host_map {
	struct pr_map_flags flags;
	struct pr_str hosts_file, file; /* service switch */
	uint32_t expand_aliases;
	bool keeps_aliases; /* expand_aliases is false, or DontExpandCnames true */
	bool searches_dotted; /* DNSRCH in ResolverOptions */
	char *hosts, *services;
	char *search[SEARCH_MAX]; /* of the resolver, as far as ResolverOptions lets it be used */
	int64_t timeout, retries; /* of each question; how often is the resolver's affair */
};

struct host_thread {
	struct cache cache;
};

struct found {
	struct pr_str name;
	uint32_t ttl;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* dns ------------------------------------------------------------------- */

static enum pr_status ask(struct pr_call *call, struct pr_str name, uint32_t type, struct found *found)
{
	const struct host_map *map = call->instance;
	const struct pr_dns_record *records = NULL;
	struct pr_call limited = *call;
	size_t count = 0;

	if (map->timeout > 0)
		limited.deadline_ms = now_ms() + pr_call_remaining(call, map->timeout * 1000);
	enum pr_status status = pr_dns_records(&limited, name, type, &records, &count);
	call->reason = limited.reason;
	if (status != PR_OK)
		return status;
	/* a name with MX records only is its own, whatever alias led there */
	bool renamed = !map->keeps_aliases && !pr_str_equal_nocase(records[0].name, name);
	found->name = renamed ? records[0].name : name;
	found->ttl = records[0].ttl < TTL_MAX ? records[0].ttl : TTL_MAX;
	return PR_OK;
}

/* One complete name: PR_NOTFOUND when it has neither an address nor an MX record.  An alias that is to be kept counts wherever it leads. */
static enum pr_status ask_complete(struct pr_call *call, struct pr_str name, struct found *found)
{
	static const uint32_t types[] = { RECORD_AAAA, RECORD_A, RECORD_MX };
	const struct host_map *map = call->instance;
	enum pr_status status = map->keeps_aliases ? ask(call, name, RECORD_CNAME, found) : PR_NOTFOUND;

	for (size_t i = 0; status == PR_NOTFOUND && i < sizeof types / sizeof types[0]; i++)
		status = ask(call, name, types[i], found);
	return status;
}

static enum pr_status ask_with(struct pr_call *call, struct pr_str name, const char *domain, struct found *found)
{
	struct pr_str full = pr_arena_printf(call->arena, "%.*s.%s", PR_PRINT(name), domain);

	if (full.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the name");
	return full.len > NAME_MAX_BYTES ? PR_NOTFOUND : ask_complete(call, full, found);
}

static enum pr_status by_dns(struct pr_call *call, struct pr_str name, bool complete, struct found *found)
{
	const struct host_map *map = call->instance;
	bool dotted = pr_str_find(name, '.') < name.len;
	enum pr_status status = dotted || complete ? ask_complete(call, name, found) : PR_NOTFOUND;

	bool searched = !complete && (!dotted || map->searches_dotted);

	for (size_t i = 0; status == PR_NOTFOUND && searched && i < SEARCH_MAX && map->search[i] != NULL; i++)
		status = ask_with(call, name, map->search[i], found);
	return status == PR_TEMPFAIL ? pr_fail(call, PR_TEMPFAIL, "%.*s: Name server timeout", PR_PRINT(name)) : status;
}

static enum pr_status by_files(struct pr_call *call, struct pr_str name, bool complete, struct found *found)
{
	const struct host_map *map = call->instance;

	(void)complete;
	found->ttl = TTL_FILES;
	return files_canonical(call, pr_str(map->hosts), call->host->macro(call, PR_STR("m")), name, &found->name);
}

/* services -------------------------------------------------------------- */

static const struct service {
	const char *name;
	enum pr_status (*ask)(struct pr_call *call, struct pr_str name, bool complete, struct found *found);
} services[] = { { "files", by_files }, { "dns", by_dns } };

static const struct service *find_service(struct pr_str name)
{
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		if (pr_str_equal_nocase(pr_str(services[i].name), name))
			return &services[i];
	return NULL;
}

/* The first full name counts.  A short one is kept in case no other service has a better one. */
static enum pr_status by_services(struct pr_call *call, struct pr_str name, bool complete, struct found *found)
{
	const struct host_map *map = call->instance;
	struct pr_str rest = pr_str(map->services), word;
	struct found one = {0};
	enum pr_status best = PR_NOTFOUND;
	struct pr_str reason = PR_NONE;

	while (pr_map_word(&rest, &word)) {
		const struct service *service = find_service(word);
		enum pr_status status = service == NULL ? PR_NOTFOUND : service->ask(call, name, complete, &one);
		if (status == PR_OK) {
			*found = one;
			best = PR_OK;
			if (pr_str_find(one.name, '.') < one.name.len)
				break;
		} else if (status != PR_NOTFOUND && best == PR_NOTFOUND) {
			best = status;
			reason = call->reason;
		}
	}
	call->reason = best == PR_OK ? PR_NONE : reason;
	return best;
}

static enum pr_status by_address(struct pr_call *call, struct pr_str key, struct found *found)
{
	const struct host_map *map = call->instance;
	size_t end = pr_str_find(key, ']');
	struct pr_str address = pr_str_slice(key, 1, end);

	if (end == key.len)
		return PR_NOTFOUND;
	if (pr_str_has_prefix_nocase(address, PR_STR("IPv6:")))
		address = pr_str_slice(address, 5, address.len);
	found->ttl = TTL_FILES;
	if (files_name(call, map->hosts_file.len > 0 ? map->hosts_file : PR_STR(HOSTS_DEFAULT_FILE), address, &found->name) == PR_OK)
		return PR_OK;
	return call->host->dns_name(call, address, &found->name);
}

/* A name that did not change keeps the letters it was asked with. */
static struct pr_str as_asked(struct pr_str name, struct pr_str key)
{
	return pr_str_equal_nocase(name, key) ? key : name;
}

static enum pr_status look(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	struct host_thread *thread = call->thread;
	bool complete = key.len > 1 && key.data[key.len - 1] == '.';
	struct pr_str name = complete ? pr_str_slice(key, 0, key.len - 1) : key;
	struct found found = {0};
	int64_t now = now_ms();

	if (name.len == 0 || key.len > NAME_MAX_BYTES || memchr(key.data, '\0', key.len) != NULL || pr_str_equal(key, PR_STR(".")))
		return PR_NOTFOUND;
	enum pr_status status = cache_find(&thread->cache, key, now, &found.name);
	if (status == PR_TEMPFAIL) {
		status = name.data[0] == '[' ? by_address(call, name, &found) : by_services(call, name, complete, &found);
		if (status != PR_TEMPFAIL)
			cache_put(&thread->cache, key, status == PR_OK ? found.name : PR_NONE, now + (int64_t)(status == PR_OK ? found.ttl : TTL_FILES) * 1000);
	}
	if (status == PR_NOTFOUND)
		call->reason = PR_NONE;
	*raw_out = as_asked(found.name, name);
	return status == PR_PERMFAIL ? PR_NOTFOUND : status;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct host_map *map = call->instance;
	struct pr_str raw = PR_NONE;
	enum pr_status status = pr_map_is_deferred(call, &map->flags) ? PR_NOTFOUND : look(call, key, &raw);

	return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
}

/* life ------------------------------------------------------------------ */

static const struct pr_map_flag letters[] = {
	PR_MAP_FLAG('d', PR_MAP_TIME, struct host_map, timeout),
	PR_MAP_FLAG('r', PR_MAP_NUMBER, struct host_map, retries),
	PR_MAP_FLAG_END
};

static enum pr_status check(struct pr_call *call)
{
	struct host_map *map = call->instance;

	return pr_map_flags_parse(call, letters, map, &map->flags);
}

/* Is "-NAME" the last word on it?  What is not said is on. */
static bool resolver_does(struct pr_str options, const char *name)
{
	struct pr_str word;
	bool on = true;

	while (pr_str_word(&options, ", \t", &word)) {
		bool off = word.data[0] == '-';
		if (off || word.data[0] == '+')
			word = pr_str_slice(word, 1, word.len);
		if (pr_str_equal_nocase(word, pr_str(name)))
			on = !off;
	}
	return on;
}

/* DNSRCH: the whole list, for names with dots too.  DEFNAMES alone: the first domain, for names without. */
static void read_search_list(struct pr_call *call)
{
	struct host_map *map = call->instance;
	struct pr_str options = call->host->option(call, PR_STR("ResolverOptions"));
	struct __res_state state;
	size_t most = resolver_does(options, "DEFNAMES");

	map->searches_dotted = resolver_does(options, "DNSRCH");
	if (map->searches_dotted)
		most = SEARCH_MAX;
	memset(&state, 0, sizeof state);
	if (res_ninit(&state) != 0)
		return;
	for (size_t i = 0; i < most && i < MAXDNSRCH && state.dnsrch[i] != NULL; i++)
		if (state.dnsrch[i][0] != '\0' && strcmp(state.dnsrch[i], ".") != 0)
			map->search[i] = pr_copy_c(state.dnsrch[i]);
	res_nclose(&state);
}

static enum pr_status open_map(struct pr_call *call)
{
	struct host_map *map = call->instance;
	struct pr_str found = PR_NONE, hosts = map->hosts_file;
	enum pr_status status = services_find(call, map->file, PR_STR("hosts"), &found);

	if (status != PR_OK)
		return status;
	map->services = pr_copy_str(found);
	if (hosts.len == 0)
		hosts = call->host->option(call, PR_STR("HostsFile"));
	map->hosts = pr_copy_str(hosts.len > 0 ? hosts : PR_STR(HOSTS_DEFAULT_FILE));
	map->keeps_aliases = !map->expand_aliases || pr_str_equal_nocase(call->host->option(call, PR_STR("DontExpandCnames")), PR_STR("true"));
	read_search_list(call);
	return PR_OK;
}

static void close_map(struct pr_call *call)
{
	struct host_map *map = call->instance;

	pr_free(map->services);
	pr_free(map->hosts);
	map->services = map->hosts = NULL;
	for (size_t i = 0; i < SEARCH_MAX; i++) {
		pr_free(map->search[i]);
		map->search[i] = NULL;
	}
}

static void thread_close(struct pr_call *call)
{
	struct host_thread *thread = call->thread;

	cache_fini(&thread->cache);
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct host_map, flags),
	PR_OPTION(struct host_map, hosts_file, "hosts_file", PR_OPTION_PATH, 0, NULL, "the hosts file; else HostsFile"),
	PR_OPTION(struct host_map, file, "service_switch", PR_OPTION_PATH, 0, NULL, "the service switch file; else ServiceSwitchFile"),
	PR_OPTION(struct host_map, timeout, "timeout", PR_OPTION_TIME, 0, "0", "longest wait for one answer of DNS (-d)"),
	PR_OPTION(struct host_map, expand_aliases, "expand_aliases", PR_OPTION_BOOL, 0, "true", "an alias (CNAME) becomes the name it stands for, unless DontExpandCnames"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(host) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct host_map),
	.thread_size = sizeof(struct host_thread), .name = "host", .version = "1.0", .summary = "full names of hosts", .options = options,
	.check = check, .open = open_map, .close = close_map, .thread_close = thread_close, .ops = &ops };
