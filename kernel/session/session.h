/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A session: one client, its machine, and what the receiver knows about both.
 *
 *   accept.c   makes it                 session.c   reads, feeds the machine, flushes, parks
 *   answer.c   which question goes where            ask_*.c   the answers
 *
 * An idle session is this struct, the machine and two short strings: no buffer (that is the worker's), no arena, no
 * transaction.  10,000 of them are nothing special, so think twice before adding a field.
 *
 * A session is owned by the thread that runs it (loop.h); only `timer` and the task's state are touched by others.
 */
#ifndef KERNEL_SESSION_SESSION_H
#define KERNEL_SESSION_SESSION_H

#include "kernel/config/role.h"
#include "kernel/log/repeat.h"
#include "kernel/module/module.h"
#include "kernel/net/stream.h"
#include "kernel/net/traffic.h"
#include "kernel/queue/statistics.h"
#include "kernel/session/loop.h"
#include "kernel/session/timer.h"
#include "kernel/smtp/machine.h"

struct forwarded;
struct shown;
struct transaction;
struct session_auth;
struct auth_offers;
struct net_tls_server;
struct table;
struct session;

struct listener {
	struct loop_task task;
	struct receiver *receiver;
	pthread_mutex_t lock; /* fd: closed by the main thread, used by workers */
	int fd;               /* -1: closed */
	uint32_t submission;
	const struct config_listener *declared; /* what the configuration says of it, or NULL */
	_Atomic uint64_t sessions;   /* of this process that came by it */
	uint64_t filters_off;        /* bit i: filter i does not see them */
	_Atomic uint32_t resting; /* out of descriptors: the main thread wakes it */
	struct pr_str name;
};

/* Counted for the STATE line. */
struct receiver_counts {
	_Atomic uint64_t accepted, refused, messages, timeouts, auth_failures, bare_line_ends;
};

/* One per process; constant after start but for the atomics and what has its own lock. */
struct receiver {
	const struct role *role;
	struct config *config;
	const struct options *options;
	struct module_set *modules;
	struct loop *loop;
	struct timer_wheel wheel;
	struct table *table;
	struct traffic *traffic;     /* all receivers' */
	uint32_t column;             /* ours in it */
	struct pr_text help;         /* HelpFile */
	uint32_t has_help;
	struct auth_offers *offers;  /* auth.h; NULL: there is no auth module */
	struct net_tls_server *tls;  /* NULL: STARTTLS is not offered */
	struct listener *listeners;
	size_t listener_count;
	size_t filter_count;
	size_t session_limit;
	int reserve_fd;              /* given up for a moment to say 421 when there are no descriptors */
	pthread_mutex_t reserve_lock;
	int attention_fd;            /* eventfd: loop_tend() is wanted, or the last session has gone */
	_Atomic uint32_t open;       /* messages that have begun and not ended */
	_Atomic uint32_t leaving;    /* 1: no new work, sessions end at a command boundary */
	_Atomic int64_t room_seen;   /* second of the monotonic clock in which the store said it has room */
	_Atomic int64_t load;        /* ${load_avg} as it was a second ago */
	struct log_repeat overload, crowd, flood, slow; /* RefuseLA, MaxDaemonChildren, ConnectionRateThrottle, DelayLA */
	struct log_repeat no_auth;   /* an auth module cannot say what it offers */
	struct log_repeat strangers; /* a listener for proxies was called by somebody else */
	struct log_repeat no_room, not_written; /* the store takes nothing; it took a message and had no room to write it */
	struct receiver_counts counts;
	struct statistics_counters *counters; /* NULL: no StatusFile */
	struct statistics_names names;
};

/* What a worker thread owns (worker.local). */
struct bench {
	struct module_thread *modules;
	struct pr_arena arena; /* of one answer */
	char *buffer;
	size_t room;
};

#define BENCH_BUFFER 32768

enum session_phase {
	SESSION_GREETING = 0, /* accepted, nothing done yet */
	SESSION_PROXY,        /* accepted, and a proxy is to say for whom it comes (proxy.h) */
	SESSION_PAUSING,      /* the greeting waits (pause.h) */
	SESSION_TALKING,
	SESSION_SLOWED,       /* the answer to a command waits (slow.h) */
	SESSION_COMMITTING,   /* the store will call back, or the courier give word */
	SESSION_SECURING,     /* TLS handshake */
	SESSION_LINGERING     /* all is said; waits for the client to close */
};

enum client_resolve { CLIENT_OK = 0, CLIENT_FAIL = 1, CLIENT_FORGED = 2, CLIENT_TEMP = 3 };

struct session {
	struct loop_task task; /* first: a task is a session */
	struct timer timer;
	struct net_stream stream;
	struct receiver *receiver;
	struct listener *listener;
	struct smtp_machine *machine;
	struct smtp_settings settings;   /* the machine's, by reference */
	struct transaction *transaction; /* between MAIL and its end */
	struct module_session *filters;  /* receiver->filter_count of them, or NULL */
	struct module_session rules;     /* what the rule engine keeps of this connection */
	struct session_auth *auth;       /* auth.h; NULL: AUTH was never offered */
	struct pr_text input;            /* left over while a question is open; no memory else */
	struct pr_str name;              /* "host.example.org" or "[192.0.2.1]"; owned */
	struct pr_str ptr;               /* what DNS calls the address when that is not proven; owned, or absent */
	struct pr_str address;           /* "192.0.2.1"; owned */
	struct pr_str met;               /* where the client has called, when somebody else says so; owned, or absent: here */
	struct pr_str user;              /* submission: who; owned */
	struct pr_str quarantine;        /* at connect: the reason to hold all it sends; owned, or absent */
	struct forwarded *forwarded;     /* introduce.h; NULL: nothing was said */
	struct shown *shown;             /* shown.h; NULL: there is no transcript */
	struct session *next;            /* in the table's free list */
	int64_t since;                   /* session_now() when it came */
	uint32_t port;
	uint32_t pause;                  /* milliseconds before the greeting */
	uint32_t connections;            /* of this client when it came, with this one; 0: not counted */
	uint32_t rate, total_rate;       /* traffic.h, when it came */
	uint32_t place;                  /* in receiver->traffic; 0: none */
	uint32_t uid;                    /* of the peer of a Unix socket, else UINT32_MAX */
	uint64_t filters_done;           /* bit i: filter i asks no more in this connection */
	uint8_t phase;                   /* enum session_phase */
	uint8_t resolve;                 /* ${client_resolve}: enum client_resolve */
	uint8_t refused;                 /* at connect: every MAIL is refused */
	uint8_t first_input;             /* submission: the first line may be XDROP */
	uint8_t plaintext;               /* srv_features c: no password as it is without TLS; C: AuthOptions=p is no matter */
	uint8_t asks_nothing; /* srv_features V: no certificate of the client is asked for */
	uint8_t issued;                  /* said MAIL, EXPN, VRFY or ETRN */
	uint8_t broken;                  /* nothing more can be sent */
	uint8_t stalled;                 /* the last input completed nothing: its deadline stays */
	uint8_t in_use;
	uint8_t unread;                  /* an event said that there may be input, and no read has said since that it is all */
	uint8_t greeted;                 /* TLS from the first byte: that is behind us */
	uint8_t quit;                    /* the client has asked for the end */
	uint8_t ending;                  /* the peer has closed: only a read that says so is the last */
	uint8_t watches_room;            /* output was stuck once: events for room are wanted too */
	uint8_t watched;                 /* in the epoll set */
	uint8_t swift;                   /* it answered within SWIFT_US when a thread stayed */
	uint8_t brisk;                   /* waits in the set while a thread could have stayed */
	uint8_t counted;                 /* it was let in, and is one of its client's connections */
	uint8_t discard;                 /* at connect: take everything, deliver nothing */
	uint8_t refusal_counted;         /* statistics.c */
};

/* session.c */
int64_t session_now(void); /* seconds, monotonic and coarse */
int64_t session_now_ms(void); /* monotonic, for deadlines */
bool session_run(struct loop_task *task, struct worker *worker, uint32_t events);

/* answer.c: true when answered, false when the store will call back, or the courier give word. */
bool session_answer(struct session *session, struct bench *bench);

/* ask_connect.c */
void session_greet(struct session *session, struct bench *bench); /* finds out who it is and makes the machine */
/* What this listener offers, before any rule has spoken of the client; and who he is. */
void session_offer(struct session *session);
/* "name [addr]", "[addr]", "user@localhost", with "(may be forged)"; the value of $_ and of relay= in the log. */
struct pr_str session_client(const struct session *session, struct pr_arena *arena);
void session_describe(const struct session *session, struct pr_client *client_out);

/* macros.c */
struct pr_str session_macro(void *context, struct pr_str name);
/* A scope for the modules, with this session's macros. */
void session_scope(struct session *session, struct bench *bench, struct module_scope *scope);

#endif
