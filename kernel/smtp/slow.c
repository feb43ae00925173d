/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that wait before they are run, as in sendmail: all while the machine is busy (DelayLA), those that do nothing and those that probe
 * for users when there are too many of them (1, 2, 4 ... 240 seconds), RCPT after too many refused ones.
 * The machine has no clock: it asks the driver to wait, so a client that waits costs neither thread nor memory.
 */
#include "kernel/smtp/internal.h"

#define SLOW_MAX 240
#define DOUBLINGS_MAX 8 /* 2^8 is more than that */
#define EARLIER_MAX 32  /* others may share an address with one who guesses, and their clients wait as long as that */

static const struct limit {
	const char *name;
	uint32_t most; /* the next one waits */
} limits[SMTP_SLOW_KINDS] = {
    [SMTP_SLOW_HELO] = {"HELO/EHLO", 3}, [SMTP_SLOW_VERIFY] = {NULL, 6}, [SMTP_SLOW_ETRN] = {"ETRN", 8}, [SMTP_SLOW_NOOP] = {NULL, 0}};

static uint32_t doubled(uint32_t beyond)
{
	return beyond >= DOUBLINGS_MAX ? SLOW_MAX : (uint32_t)1 << beyond;
}

/* AUTH of a client who failed in other connections. */
static uint32_t of_earlier(struct smtp_machine *machine)
{
	uint32_t failures = machine->settings->auth_failures, most = machine->settings->auth_failures_max;

	if (most == 0 || failures < most)
		return 0;
	if (machine->slow_counts[SMTP_SLOW_AUTH] == 1)
		machine->question.attack = failures + 1;
	return doubled(failures - most) < EARLIER_MAX ? doubled(failures - most) : EARLIER_MAX;
}

/* Seconds for one more of its kind. */
static uint32_t of_count(struct smtp_machine *machine, enum smtp_slow kind)
{
	uint32_t most = kind == SMTP_SLOW_NOOP ? machine->settings->noop_max : limits[kind].most;

	if (kind == SMTP_SLOW_AUTH && smtp_auth_is_open(machine))
		most = smtp_auth_offers(machine) + 1; /* each once, and no more words to try */
	if (most == 0)
		return 0;
	uint32_t count = ++machine->slow_counts[kind], earlier = kind == SMTP_SLOW_AUTH ? of_earlier(machine) : 0;
	if (count < most)
		return earlier;
	if (count == most)
		machine->question.attack = count;
	return doubled(count - most) > earlier ? doubled(count - most) : earlier;
}

static uint32_t of_recipients(struct smtp_machine *machine)
{
	uint32_t most = machine->settings->bad_rcpt_throttle;

	if (most == 0 || machine->bad_recipients < most)
		return 0;
	machine->question.flood = !machine->flooded;
	machine->flooded = true;
	return machine->settings->bad_rcpt_delay;
}

static uint32_t seconds(struct smtp_machine *machine, enum smtp_slow kind)
{
	uint32_t all = machine->settings->busy;

	if (kind == SMTP_SLOW_NEVER || machine->settings->submission)
		return 0;
	if (kind == SMTP_SLOW_RCPT && machine->in_transaction)
		all += of_recipients(machine);
	else
		all += of_count(machine, kind);
	return all < SLOW_MAX ? all : SLOW_MAX;
}

static void waited(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	(void)answer;
	machine->waiting->run(machine);
}

void smtp_run_verb(struct smtp_machine *machine, const struct smtp_verb *verb)
{
	uint32_t wait = seconds(machine, verb->slow);

	if (wait == 0) {
		verb->run(machine);
		return;
	}
	machine->waiting = verb;
	machine->question.seconds = wait;
	machine->question.argument = limits[verb->slow].name != NULL ? pr_str(limits[verb->slow].name) : pr_str(verb->name);
	smtp_ask(machine, SMTP_ASK_WAIT, waited);
}
