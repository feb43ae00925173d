/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the master remembers; shared by the files of this folder only.
 *
 * One struct master, one thread, one poll loop (master.c).  Everything that happens later - a deadline, a back-off, a child to
 * be killed - is a time in here that the loop compares with the clock; nothing sleeps.
 */
#ifndef KERNEL_MASTER_STATE_H
#define KERNEL_MASTER_STATE_H

#include "kernel/master/identity.h"
#include "kernel/master/master.h"
#include "kernel/master/table.h"
#include "kernel/net/channel.h"
#include "kernel/net/traffic.h"
#include "kernel/queue/statistics.h"

#include <poll.h>

#define MASTER_CONNECTIONS_MAX 16
#define MASTER_HELPERS_MAX 256   /* helpers alive at once */
#define MASTER_DRAIN_SECONDS 300 /* the old generation may finish that long */

enum child_state {
	CHILD_NONE = 0, /* never started, or gone */
	CHILD_STARTING,
	CHILD_READY,
	CHILD_LEAVING   /* was told DRAIN or STOP */
};

struct child {
	const char *role;
	enum child_state state;
	pid_t pid;          /* 0 for a thread of --single */
	int channel;        /* our end, or -1 */
	int files;          /* our end of the socket for files, or -1 */
	int column;         /* of a receiver that is being started (traffic.c), -1: none */
	int64_t started_ms;
	int64_t kill_ms;    /* SIGKILL at that time, 0: never */
	int64_t restart_ms; /* CHILD_NONE: start again at that time, 0: never */
	unsigned int failures; /* in a row, for the back-off */
	bool replied;       /* STATE came since the last STATUS */
	char said[600];     /* the text of FAILED */
	char stack[200];    /* the text of CRASH */
	char report[400];   /* the text of STATE */
};

struct listener {
	int fd;
	struct table_listener spec;
};

struct generation {
	uint32_t number; /* 0: this slot is free */
	struct table table;
	struct listener listeners[TABLE_LISTENERS_MAX];
	size_t listener_count;
	char left_out[300]; /* the reason why an optional listener is not there; empty: all are */
	struct identity receiver_user, courier_user;
	struct child plan, receiver, courier;
	struct pr_text plan_text;
	int64_t deadline_ms; /* while it starts */
};

struct connection {
	int fd; /* -1: free */
	bool waits_reload;
	bool waits_status;
	bool waits_stop;
	bool told;       /* what it waits for */
	int64_t asked_ms;
	bool denied;
	int64_t deadline_ms;
	struct pr_text in;
};

/* What the roles count, and when it was last added to StatusFile. */
struct master_statistics {
	struct statistics_counters *counters; /* NULL: none */
	int fd;
	int64_t next_ms;
	char said[600]; /* the last complaint: it is not repeated */
};

/* Whose column is whose in the memory of the receivers. */
struct master_traffic {
	struct traffic *table; /* NULL: each receiver has its own */
	int fd;
	struct {
		const struct child *child; /* NULL: free */
		pid_t pid;                 /* its process; the child may be another one already */
	} columns[TRAFFIC_COLUMNS];
};

struct master {
	const struct master_settings *settings;
	struct identity self;
	bool privileged;
	bool serving;        /* a generation was in force */
	bool reload_pending; /* a HUP came while one was being served */
	bool stopping;
	int exit_status;
	int config_status; /* sysexit of a configuration that cannot be used */
	int64_t stop_deadline_ms;
	int64_t born_ms;
	uint32_t last_number;
	struct generation slots[3];
	struct generation *current, *next, *old; /* current and at most one of the others */
	int wake[2];         /* for the life of the master: old and new generations share it */
	int run_lock;        /* flock on the run directory: one daemon in one place */
	int signal_fd;
	int control_fd;
	int ready_pipe;      /* -bd: tells the shell; -1 otherwise */
	struct connection connections[MASTER_CONNECTIONS_MAX];
	pid_t helpers[MASTER_HELPERS_MAX];
	pid_t feeder;        /* working on the drop directory, 0 none */
	int feeder_pipe;
	struct pr_text feeder_text;
	int drop_watch;      /* inotify, -1 none */
	bool drop_pending;
	int64_t drop_ms;     /* next look */
	struct master_statistics statistics;
	struct master_traffic traffic;
	bool pid_file_written;
	char kept[800];      /* a stop: why not all mail is where other programs find it; empty: it is */
	char reason[1000];   /* why the last generation failed */
};

int64_t master_now_ms(void);

/* spawn.c: fork, become, exec (or a thread) */
bool spawn_role(struct master *master, struct generation *generation, struct child *child);
/* In a freshly forked child: signals and session as a new program expects them. */
void spawn_clean_process(void);
void child_close(struct child *child);
void child_close_files(struct child *child); /* its socket for files alone */
void child_kill(struct child *child, int signal_number);

/* listen.c */
bool listen_all(struct master *master, struct generation *generation, const struct generation *before, struct pr_text *why);
/* Closes the listeners of `generation` that `keeper` (may be NULL) does not share. */
void listen_close(struct generation *generation, const struct generation *keeper);
int listen_unix(const char *path, uint32_t mode, struct pr_text *why);

/* places.c */
bool places_prepare(struct master *master, const struct generation *generation, struct pr_text *why);
/* Before anything in it is touched. */
bool places_lock(struct master *master, const char *run, struct pr_text *why);
bool places_write_pid(struct master *master, const char *path, struct pr_text *why);

/* takeover.c.  Nothing but a queue, or other places of ours, is in it; else `why` names what is. */
bool takeover_is_ours(int fd, const char *path, mode_t mode, struct pr_text *why);
/* All of it to a new owner; only for a directory that nobody but its owner could write. */
bool takeover_queue(int fd, uid_t uid, gid_t gid);
/* What a tool of root's has left in the journal of that queue belongs to the journal's owner. */
bool takeover_journal(int fd);

/* generation.c */
void generation_begin(struct master *master);
/* The plan is complete: check it, prepare what it names, start the roles. */
void generation_build(struct master *master, struct generation *next);
void generation_enter(struct master *master); /* the next is in force, the one before drains */
void generation_fail(struct master *master, const char *why); /* the next never was */
void child_end(struct child *child); /* at once */
void generation_tick(struct master *master, int64_t now);
void generation_stop_all(struct master *master);
/* "generation 3 has left (courier pid 12, messages under way), in 290 s at the latest" */
void generation_print_leaving(const struct generation *generation, struct pr_text *out);
bool generation_any_alive(const struct master *master);

/* generation_child.c */
void generation_message(struct master *master, struct generation *generation, struct child *child);
void generation_child_gone(struct master *master, struct generation *generation, struct child *child, int status);
void child_last_words(struct child *child); /* of one that is gone; only CRASH and FAILED still matter */
const char *child_how_it_ended(const struct child *child, int status, char *room, size_t size);

/* control.c */
void control_accept(struct master *master);
void control_input(struct master *master, struct connection *connection);
void control_reload_done(struct master *master, const char *error);
void control_reload_waits(struct master *master, struct pr_str why); /* those who were not told yet are told */
void control_status_arrived(struct master *master, bool time_is_up);
void control_tick(struct master *master, int64_t now);
bool control_waits(const struct connection *connection); /* has asked, and its answer is not there yet */
void control_close_all(struct master *master);

/* helpers.c */
void helpers_serve(struct master *master, const struct generation *generation, struct child *courier,
                   const struct channel_message *request);
bool helpers_gone(struct master *master, pid_t pid);

/* files.c: one question of a receiver or courier for a file that is in the table */
void files_serve(const struct generation *generation, struct child *child);

/* statistics.c */
void statistics_open(struct master *master);
void statistics_tick(struct master *master, int64_t now);
int64_t statistics_wait_ms(const struct master *master, int64_t most); /* until the next tick that matters */
void statistics_close(struct master *master); /* the last time */

/* traffic.c */
void traffic_open(struct master *master);
void traffic_close(struct master *master);
/* A column for a receiver that is about to start; -1: none. */
int traffic_take(struct master *master, const struct child *receiver);
/* It has started, or (pid -1) it has not. */
void traffic_started(struct master *master, int column, pid_t pid);
/* That process, or (pid 0) the thread of that child, is gone: what it had open is no more. */
void traffic_gone(struct master *master, const struct child *child, pid_t pid);

/* drop.c */
void drop_watch(struct master *master);
void drop_event(struct master *master);
void drop_output(struct master *master);
bool drop_gone(struct master *master, pid_t pid, int status);
void drop_tick(struct master *master, int64_t now);

#endif
