/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The handler builds one packet in static memory and sends it, all with async-signal-safe calls, then returns into the
 * default action.  The master gets the module's name and the true wait status, so its one log line can hold both.
 */
#include "kernel/module/crash.h"
#include "kernel/module/module.h"
#include "kernel/net/channel.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__)
#define CRASH_DUMPABLE 1 /* the leak checker traces its own process */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CRASH_DUMPABLE 1
#endif
#endif
#ifndef CRASH_DUMPABLE
#define CRASH_DUMPABLE 0
#endif

static int crash_channel = -1;

static void handle_crash(int signal_number)
{
	const char *where = module_on_stack();

	if (where == NULL)
		where = "";
	/* channel_send is sendmsg on the stack's own memory: safe in here */
	(void)channel_send(crash_channel, CHANNEL_CRASH, 0, signal_number, pr_str(where), -1);
	(void)raise(signal_number); /* SA_RESETHAND: the default action now */
}

void crash_install(int channel)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	static char stack[16384];
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_handler = handle_crash, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK | SA_NODEFER)};

	crash_channel = channel;
	(void)sigaltstack(&alternative, NULL);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaction(signals[i], &action, NULL);
}

void crash_hide(void)
{
	(void)prctl(PR_SET_DUMPABLE, CRASH_DUMPABLE, 0, 0, 0);
}
