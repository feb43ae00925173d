/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter: watches an SMTP session and may refuse or change a message.
 *
 * The order of calls for one connection:
 *
 *   connect helo { mail rcpt... data header... eoh body... message | abort }... close
 *
 * call->session is the filter's memory for the connection.  Each hook fills a
 * verdict (zeroed = continue) and returns PR_OK; any other status is a filter
 * that failed, and the kernel answers 451 or goes on, as the instance's
 * `on_failure` setting says.  The message may be edited in `message` only,
 * through the edit table.
 */
#ifndef POSTRIDER_FILTER_H
#define POSTRIDER_FILTER_H

#include "envelope.h"
#include "module.h"
#include "verdict.h"

struct pr_client {
	size_t size;
	struct pr_str name;    /* verified host name, or "[192.0.2.1]" */
	struct pr_str address; /* "192.0.2.1", "IPv6:2001:db8::1", "local" for the submission socket */
	struct pr_str helo;    /* what it said, or absent */
	struct pr_str daemon;  /* listener name, "MTA" */
	uint32_t port;
	uint32_t resolve;      /* 0 OK, 1 FAIL, 2 FORGED, 3 TEMP as ${client_resolve} */
	uint32_t uid;          /* peer uid on the submission socket, 0xffffffff otherwise */
	uint32_t reserved;
};

struct pr_filter_edit {
	size_t size;
	enum pr_status (*header_add)(struct pr_call *call, struct pr_str name, struct pr_str value);
	enum pr_status (*header_insert)(struct pr_call *call, uint32_t index, struct pr_str name, struct pr_str value);
	/* index counts fields of that name from 1; an absent value deletes */
	enum pr_status (*header_change)(struct pr_call *call, struct pr_str name, uint32_t index, struct pr_str value);
	enum pr_status (*sender_change)(struct pr_call *call, struct pr_str sender);
	enum pr_status (*recipient_add)(struct pr_call *call, struct pr_str address);
	enum pr_status (*recipient_remove)(struct pr_call *call, struct pr_str address);
	enum pr_status (*body_replace)(struct pr_call *call, const void *data, size_t len); /* repeated: appends */
};

struct pr_filter_ops {
	size_t size; /* every hook may be NULL */
	enum pr_status (*connect)(struct pr_call *call, const struct pr_client *client, struct pr_verdict *verdict);
	enum pr_status (*helo)(struct pr_call *call, struct pr_str name, struct pr_verdict *verdict);
	enum pr_status (*mail)(struct pr_call *call, struct pr_str sender, const struct pr_list *parameters, struct pr_verdict *verdict);
	enum pr_status (*rcpt)(struct pr_call *call, struct pr_str recipient, const struct pr_list *parameters, struct pr_verdict *verdict);
	enum pr_status (*data)(struct pr_call *call, struct pr_verdict *verdict);
	enum pr_status (*header)(struct pr_call *call, const struct pr_header *header, struct pr_verdict *verdict);
	enum pr_status (*eoh)(struct pr_call *call, struct pr_verdict *verdict);
	enum pr_status (*body)(struct pr_call *call, const void *data, size_t len, struct pr_verdict *verdict);
	enum pr_status (*message)(struct pr_call *call, const struct pr_envelope *envelope,
	                          const struct pr_filter_edit *edit, struct pr_verdict *verdict);
	void (*abort)(struct pr_call *call);
	void (*close)(struct pr_call *call);
};

#endif
