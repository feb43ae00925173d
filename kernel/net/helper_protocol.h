/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier and a helper: one delivery is one request packet with the message in a memfd, and one reply packet.
 *
 * A mailer calls host->local_deliver.  The courier takes a cached helper of that user or asks the master for one
 * (CHANNEL_HELPER); it got one end of a SOCK_SEQPACKET pair, whose other end is standard descriptor 3 of a
 * process that already is the user.  helper_deliver() writes header and body into a memfd, sends the request with it, and
 * waits for the reply.  Several threads may deliver at once: a helper serves one of them at a time, another is asked for.
 *
 * A dialogue (PR_LOCAL_DIALOGUE) has no message: the reply brings a socket, whose other end is standard input and output of the program.  The helper
 * stays with that program, so its connection is not used again.
 *
 * The helper trusts nothing here: which kinds and paths it honours, it was told by the master (kernel/helper/helper.h).
 */
#ifndef KERNEL_NET_HELPER_PROTOCOL_H
#define KERNEL_NET_HELPER_PROTOCOL_H

#include "kernel/net/channel.h"
#include <postrider/host.h>

#define HELPER_PACKET_MAX (CHANNEL_TEXT_MAX - 1) /* request or reply, one channel message of kind CHANNEL_HELPER */
#define HELPER_ARGS_MAX 256
#define HELPER_OUTPUT_MAX 4096
#define HELPER_IDLE_SECONDS 10  /* a cached helper is given back after that */

#define HELPER_QUOTE_FROM 1u    /* F=E: body lines that begin with "From " get a ">" */

struct helper_request {
	uint32_t kind;    /* enum pr_local_kind */
	uint32_t flags;   /* HELPER_... */
	uint32_t timeout; /* seconds, 0: the helper's default */
	int32_t niceness;
	uint64_t header_size; /* bytes of the message that are header */
	struct pr_str user;   /* as the mailer said it; empty: DefaultUser */
	struct pr_str path;
	struct pr_str directories, root; /* of a program */
	struct pr_list argv;
	struct pr_list environment;
};

struct helper_reply {
	uint32_t status; /* enum pr_status of the delivery itself */
	int32_t exit_status;
	struct pr_str reason;
	struct pr_str output;
};

/* Pure packing; parse refuses what is too long, has rest bytes or strings with NUL.  Strings point into the packet or arena. */
bool helper_request_print(const struct helper_request *request, struct pr_text *packet);
bool helper_request_parse(struct pr_str packet, struct pr_arena *arena, struct helper_request *request_out);
bool helper_reply_print(const struct helper_reply *reply, struct pr_text *packet);
bool helper_reply_parse(struct pr_str packet, struct helper_reply *reply_out);

/* The courier's side.  `ask` gets a connected descriptor for the user (empty name: DefaultUser), by CHANNEL_HELPER over the role's channel
 * or otherwise; PR_TEMPFAIL/PR_NOTFOUND/PR_PERMFAIL and a sentence in `why`.  It is called by many threads. */
typedef enum pr_status helper_ask(void *context, struct pr_str user, int *fd_out, struct pr_text *why);
struct helper_client;
struct helper_client *helper_client_new(helper_ask *ask, void *context);
void helper_client_free(struct helper_client *client);
/* What module_services.local_deliver needs: fills delivery->exit_status and output, or fails with a reason in the call. */
enum pr_status helper_deliver(struct helper_client *client, struct pr_call *call, struct pr_local_delivery *delivery,
                              uint32_t flags);
/* Gives back helpers idle for HELPER_IDLE_SECONDS; call it now and then. */
void helper_client_tick(struct helper_client *client);

#endif
