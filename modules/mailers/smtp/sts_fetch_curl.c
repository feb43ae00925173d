/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl, loaded when the first mailer opens that wants MTA-STS: who does without has neither it nor what it brings in memory.
 * The addresses are given along, because the resolver is the kernel's, with its cache, its bounds and its list of servers.
 */
#include "sts_fetch.h"

#include "sts_policy.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define CURL_LIBRARY "libcurl.so.4"
#define CONNECT_MS 10000L
#define ADDRESSES_MOST 8

/* The functions that are used, by the types of its header. */
static struct {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *init;
	__typeof__((curl_easy_setopt)) *setopt;
	__typeof__(curl_easy_perform) *perform;
	__typeof__((curl_easy_getinfo)) *getinfo;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_strerror) *explain;
	__typeof__(curl_slist_append) *append;
	__typeof__(curl_slist_free_all) *free_list;
} library;
static bool is_loaded;
static char failure[400];

#define FUNCTION(name, field) {name, (char *)&library.field}

static void load(void)
{
	const struct {
		const char *name;
		char *place;
	} functions[] = {
	    FUNCTION("curl_global_init", global_init), FUNCTION("curl_easy_init", init), FUNCTION("curl_easy_setopt", setopt),
	    FUNCTION("curl_easy_perform", perform), FUNCTION("curl_easy_getinfo", getinfo), FUNCTION("curl_easy_cleanup", cleanup),
	    FUNCTION("curl_easy_strerror", explain), FUNCTION("curl_slist_append", append), FUNCTION("curl_slist_free_all", free_list),
	};
	void *handle = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL) {
		pr_print(failure, sizeof failure, "libcurl cannot be loaded: %s", dlerror());
		return;
	}
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		void *address = dlsym(handle, functions[i].name);
		if (address == NULL) {
			pr_print(failure, sizeof failure, "%s has no function %s", CURL_LIBRARY, functions[i].name);
			return;
		}
		memcpy(functions[i].place, &address, sizeof address);
	}
	is_loaded = library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!is_loaded)
		pr_print(failure, sizeof failure, "%s cannot be initialised", CURL_LIBRARY);
}

bool sts_fetch_can(struct pr_text *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!is_loaded)
		pr_text_add_c(why, failure);
	return is_loaded;
}

/* More than the text has room for ends the transfer. */
static size_t take(char *data, size_t size, size_t count, void *context)
{
	return pr_text_add(context, data, size * count) ? size * count : 0;
}

static struct curl_slist *places(const struct sts_fetch *what)
{
	struct pr_text text;

	pr_text_init(&text, 2000);
	pr_text_addf(&text, "%.*s:%u:", PR_PRINT(what->host), what->port);
	for (size_t i = 0; i < what->addresses.count && i < ADDRESSES_MOST; i++) {
		struct pr_str address = what->addresses.items[i];
		bool is_six = pr_str_find(address, ':') < address.len;
		pr_text_addf(&text, "%s%s%.*s%s", i > 0 ? "," : "", is_six ? "[" : "", PR_PRINT(address), is_six ? "]" : "");
	}
	struct curl_slist *list = text.overflow ? NULL : library.append(NULL, text.data);
	pr_text_fini(&text);
	return list;
}

static bool set_trust(CURL *curl, const struct sts_fetch *what)
{
	/* NULL where nothing is said: libcurl has places of its own, and nobody chose those */
	return library.setopt(curl, CURLOPT_CAINFO, what->ca_file.len > 0 ? what->ca_file.data : NULL) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_CAPATH, what->ca_path.len > 0 ? what->ca_path.data : NULL) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK && library.setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static bool set_bounds(CURL *curl, const struct sts_fetch *what)
{
	return library.setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && library.setopt(curl, CURLOPT_TIMEOUT_MS, (long)what->milliseconds) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK && library.setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_MAXFILESIZE, (long)STS_POLICY_BYTES) == CURLE_OK && library.setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       library.setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK && library.setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
}

static bool set_place(CURL *curl, const struct sts_fetch *what, struct curl_slist *list, struct pr_text *body)
{
	char url[400];

	pr_print(url, sizeof url, "https://%.*s:%u/.well-known/mta-sts.txt", PR_PRINT(what->host), what->port);
	return list != NULL && library.setopt(curl, CURLOPT_URL, url) == CURLE_OK && library.setopt(curl, CURLOPT_RESOLVE, list) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_USERAGENT, "postrider") == CURLE_OK && library.setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       library.setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

/* 200 and text/plain, with or without a charset. */
static bool is_policy(CURL *curl, struct pr_text *why)
{
	const char *type = NULL;
	long code = 0;

	library.getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	library.getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	struct pr_str given = type != NULL ? pr_str(type) : PR_STR("");
	struct pr_str kind = pr_str_trim(pr_str_slice(given, 0, pr_str_find(given, ';')));
	if (code != 200)
		pr_text_addf(why, "the answer is %ld", code);
	else if (!pr_str_equal_nocase(kind, PR_STR("text/plain"))) {
		pr_text_add_c(why, "the answer is no text/plain but ");
		pr_text_add_escaped(why, kind, 60);
	} else
		return true;
	return false;
}

static bool is_about_trust(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR;
}

static enum sts_fetched explain(CURLcode code, const char *details, const struct pr_text *body, struct pr_text *why)
{
	if (code == CURLE_FILESIZE_EXCEEDED || body->overflow) {
		pr_text_add_c(why, "the answer has more than 64 kilobytes");
		return STS_NOT_REACHED;
	}
	pr_text_add_escaped(why, pr_str(details[0] != '\0' ? details : library.explain(code)), 200);
	return is_about_trust(code) ? STS_NOT_TRUSTED : STS_NOT_REACHED;
}

enum sts_fetched sts_fetch(const struct sts_fetch *what, struct pr_text *body, struct pr_text *why)
{
	char details[CURL_ERROR_SIZE] = "";
	enum sts_fetched result = STS_NOT_REACHED;

	if (!sts_fetch_can(why))
		return STS_NOT_REACHED;
	CURL *curl = library.init();
	struct curl_slist *list = places(what);
	if (curl == NULL || library.setopt(curl, CURLOPT_ERRORBUFFER, details) != CURLE_OK || !set_bounds(curl, what) || !set_trust(curl, what) ||
	    !set_place(curl, what, list, body)) {
		pr_text_add_c(why, "libcurl does not take its options");
		goto out;
	}
	CURLcode code = library.perform(curl);
	if (code != CURLE_OK)
		result = explain(code, details, body, why);
	else if (is_policy(curl, why))
		result = STS_FETCHED;
out:
	library.free_list(list);
	if (curl != NULL)
		library.cleanup(curl);
	return result;
}
