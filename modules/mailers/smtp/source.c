/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where connections go out from: the address of the interface that the message came in by (DaemonPortOptions M=b), else the mailer's option from, else
 * ClientPortOptions, for each family of addresses.
 * Lines of ClientPortOptions are parted by semicolons here; a family has one, and the last one counts.
 */
#include "smtp.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union endpoint {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

struct line {
	struct smtp_source source;
	int family;
	bool family_is_said;
};

static enum pr_status fail(struct pr_call *call, struct pr_str item)
{
	return pr_fail(call, PR_MISUSE, "ClientPortOptions: \"%.*s\" cannot be meant", PR_PRINT(item));
}

/* A number, or the name of a host of this family. */
static bool find_address(struct pr_str text, int *family, bool family_is_said, char *address, size_t room)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = family_is_said ? *family : AF_UNSPEC, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char name[256];

	if (text.len == 0 || text.len >= sizeof name)
		return false;
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	bool good = getaddrinfo(name, NULL, &hints, &found) == 0 && found != NULL &&
	            getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)room, NULL, 0, NI_NUMERICHOST) == 0;
	if (good)
		*family = found->ai_family;
	if (found != NULL)
		freeaddrinfo(found);
	return good;
}

static bool take_number(struct pr_str text, uint64_t most, uint32_t *number_out)
{
	uint64_t number;

	if (!pr_str_number(text, most, &number))
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static bool take_family(struct line *line, struct pr_str value)
{
	line->family = pr_str_equal_nocase(value, PR_STR("inet6")) ? AF_INET6 : AF_INET;
	line->family_is_said = true;
	return line->family == AF_INET6 || pr_str_equal_nocase(value, PR_STR("inet"));
}

static bool take_address(struct line *line, struct pr_str value)
{
	return find_address(value, &line->family, line->family_is_said, line->source.address, sizeof line->source.address);
}

static bool take_port(struct line *line, struct pr_str value)
{
	return take_number(value, 65535, &line->source.port);
}

static bool take_modifiers(struct line *line, struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		line->source.helo_by_address |= value.data[i] == 'h';
		line->source.no_auth |= value.data[i] == 'A';
		line->source.no_tls |= value.data[i] == 'S';
	}
	return true; /* sendmail takes any letter */
}

static bool take_send_buffer(struct line *line, struct pr_str value)
{
	return take_number(value, INT_MAX, &line->source.send_buffer);
}

static bool take_receive_buffer(struct line *line, struct pr_str value)
{
	return take_number(value, INT_MAX, &line->source.receive_buffer);
}

static bool take_nothing(struct line *line, struct pr_str value)
{
	(void)line;
	(void)value;
	return true;
}

/* By the letters that tell them apart; those that mean something to a listener only are taken, as in sendmail. */
static const struct {
	struct pr_str letters;
	bool (*take)(struct line *line, struct pr_str value);
} keys[] = {{{"F", 1}, take_family}, {{"A", 1}, take_address}, {{"P", 1}, take_port}, {{"M", 1}, take_modifiers}, {{"Su", 2}, take_nothing}, {{"S", 1}, take_send_buffer},
            {{"ref", 3}, take_nothing}, {{"R", 1}, take_receive_buffer}, {{"N", 1}, take_nothing}, {{"I", 1}, take_nothing}, {{"L", 1}, take_nothing},
            {{"c", 1}, take_nothing}, {{"d", 1}, take_nothing}, {{"q", 1}, take_nothing}};

static bool take_item(struct line *line, struct pr_str item)
{
	size_t equals = pr_str_find(item, '=');

	for (size_t i = 0; equals < item.len && i < sizeof keys / sizeof keys[0]; i++)
		if (pr_str_has_prefix_nocase(item, keys[i].letters))
			return keys[i].take(line, pr_str_trim(pr_str_slice(item, equals + 1, item.len)));
	return false;
}

static enum pr_status read_line(struct pr_call *call, struct smtp *smtp, struct pr_str text)
{
	struct line line = {.family = AF_INET};
	struct pr_str rest = text, item;

	while (rest.len > 0 && pr_str_next(&rest, ',', &item)) {
		item = pr_str_trim(item);
		if (item.len > 0 && !take_item(&line, item))
			return fail(call, item);
	}
	smtp->sources[line.family == AF_INET6] = line.source;
	return PR_OK;
}

static enum pr_status read_from(struct pr_call *call, struct smtp *smtp)
{
	for (size_t i = 0; i < smtp->from.count; i++) {
		struct line line = {.family = AF_INET};
		if (!take_address(&line, pr_str_trim(smtp->from.items[i])))
			return pr_fail(call, PR_MISUSE, "from: \"%.*s\" is no address of this host", PR_PRINT(smtp->from.items[i]));
		memcpy(smtp->sources[line.family == AF_INET6].address, line.source.address, sizeof line.source.address);
	}
	return PR_OK;
}

enum pr_status smtp_source_read(struct pr_call *call, struct smtp *smtp)
{
	struct pr_str rest = call->host->option(call, PR_STR("ClientPortOptions")), line;
	enum pr_status status = PR_OK;

	while (status == PR_OK && rest.len > 0 && pr_str_next(&rest, ';', &line))
		status = read_line(call, smtp, line);
	return status == PR_OK ? read_from(call, smtp) : status;
}

/* "IPv6:2001:db8::1" is how a macro has it. */
static bool parse(const char *text, uint32_t port, union endpoint *endpoint, socklen_t *length_out)
{
	const char *number = strncmp(text, "IPv6:", 5) == 0 ? text + 5 : text;

	memset(endpoint, 0, sizeof *endpoint);
	if (inet_pton(AF_INET, number, &endpoint->four.sin_addr) == 1) {
		endpoint->four.sin_family = AF_INET;
		endpoint->four.sin_port = htons((uint16_t)port);
		*length_out = sizeof endpoint->four;
		return true;
	}
	endpoint->six.sin6_family = AF_INET6;
	endpoint->six.sin6_port = htons((uint16_t)port);
	*length_out = sizeof endpoint->six;
	return inet_pton(AF_INET6, number, &endpoint->six.sin6_addr) == 1;
}

static bool is_of_family(const char *address, int family)
{
	union endpoint endpoint;
	socklen_t length;

	return parse(address, 0, &endpoint, &length) && endpoint.any.sa_family == family;
}

/* The interface that this message came in by, if that is what its listener wants. */
static struct pr_str interface_of(const struct smtp_run *run)
{
	struct pr_str flags = pr_envelope_macro(run->envelope, PR_STR("daemon_flags"));

	return pr_str_find(flags, 'b') < flags.len ? pr_envelope_macro(run->envelope, PR_STR("if_addr")) : PR_STR("");
}

/* "" or the address for this family. */
static void choose(const struct smtp_run *run, int family, char *address, size_t room)
{
	struct pr_str chosen = run->destination->source;

	if (chosen.len == 0)
		chosen = interface_of(run);
	snprintf(address, room, "%.*s", PR_PRINT(chosen));
	/* a message may well go out by another family than it came in by */
	if (chosen.len == 0 || (run->destination->source.len == 0 && !is_of_family(address, family)))
		snprintf(address, room, "%s", run->smtp->sources[family == AF_INET6].address);
}

static void set_buffers(int fd, const struct smtp_source *source)
{
	int size = (int)source->send_buffer;

	if (size > 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	size = (int)source->receive_buffer;
	if (size > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int smtp_source_bind(struct smtp_run *run, int fd, int family)
{
	struct smtp_session *session = run->session;
	const struct smtp_source *source = &run->smtp->sources[family == AF_INET6];
	union endpoint endpoint;
	socklen_t length;
	int on = 1;

	session->source[0] = '\0';
	session->source_flags = 0;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	session->source_flags = (source->helo_by_address ? SMTP_SOURCE_HELO : 0) | (source->no_auth ? SMTP_SOURCE_NO_AUTH : 0) | (source->no_tls ? SMTP_SOURCE_NO_TLS : 0);
	set_buffers(fd, source);
	choose(run, family, session->source, sizeof session->source);
	if (session->source[0] == '\0' && source->port == 0)
		return 0;
	const char *any = family == AF_INET6 ? "::" : "0.0.0.0";
	if (!parse(session->source[0] != '\0' ? session->source : any, source->port, &endpoint, &length) || endpoint.any.sa_family != family)
		return EADDRNOTAVAIL;
	if (source->port != 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	else /* the port is chosen when it is known who it is for: as many connections as there are pairs */
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	return bind(fd, &endpoint.any, length) == 0 ? 0 : errno;
}

bool smtp_source_fits(struct smtp_run *run)
{
	char address[sizeof run->session->source];
	union endpoint peer;
	socklen_t length = sizeof peer;

	if (getpeername(run->session->fd, &peer.any, &length) != 0 || (peer.any.sa_family != AF_INET && peer.any.sa_family != AF_INET6))
		return true;
	choose(run, peer.any.sa_family, address, sizeof address);
	return strcmp(address, run->session->source) == 0;
}

struct pr_str smtp_source_name(struct smtp_run *run)
{
	struct pr_call *call = run->call;
	struct pr_str usual = smtp_identity(call, run->smtp, run->destination), name = PR_NONE;
	union endpoint own;
	socklen_t length = sizeof own;
	char address[64];

	if ((run->session->source_flags & SMTP_SOURCE_HELO) == 0 || run->smtp->helo.len > 0 || getsockname(run->session->fd, &own.any, &length) != 0)
		return usual;
	if (getnameinfo(&own.any, length, address, sizeof address, NULL, 0, NI_NUMERICHOST) != 0)
		return usual;
	if (call->host->dns_name(call, pr_str(address), &name) == PR_OK && name.len > 0)
		return name;
	call->reason = PR_NONE;
	return usual;
}
