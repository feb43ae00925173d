/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys of session tickets grow old and are shared, and files that are replaced are noticed when that is over.
 */
#include "kernel/net/tls/tickets.h"
#include "kernel/net/tls/watch.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR NET_TICKET_SECONDS

static struct net_tickets *new_tickets(void)
{
	struct net_tickets *tickets = mmap(NULL, sizeof *tickets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(tickets, MAP_FAILED);
	CU_ASSERT_TRUE_FATAL(net_tickets_init(tickets));
	return tickets;
}

static struct net_ticket_key newest(struct net_tickets *tickets, int64_t now)
{
	struct net_ticket_key key = {.made = 0};

	CU_ASSERT_TRUE(net_tickets_newest(tickets, now, &key));
	return key;
}

static bool is_same(const struct net_ticket_key *one, const struct net_ticket_key *other)
{
	return memcmp(one->name, other->name, sizeof one->name) == 0 && memcmp(one->cipher, other->cipher, sizeof one->cipher) == 0 &&
	       memcmp(one->mac, other->mac, sizeof one->mac) == 0;
}

static void test_keys_grow_old(void)
{
	struct net_tickets *tickets = new_tickets();
	struct net_ticket_key first = newest(tickets, 1000), found;
	bool fresh = false;

	struct net_ticket_key same = newest(tickets, 1000 + HOUR - 1), second = newest(tickets, 1000 + HOUR);
	CU_ASSERT_TRUE(is_same(&first, &same));
	CU_ASSERT_FALSE(is_same(&first, &second));
	CU_ASSERT_TRUE(net_tickets_find(tickets, second.name, 1000 + HOUR, &found, &fresh));
	CU_ASSERT_TRUE(fresh && is_same(&found, &second));
	CU_ASSERT_TRUE(net_tickets_find(tickets, first.name, 1000 + 3 * HOUR - 1, &found, &fresh));
	CU_ASSERT_TRUE(!fresh && is_same(&found, &first));
	CU_ASSERT_FALSE(net_tickets_find(tickets, first.name, 1000 + 3 * HOUR, &found, &fresh));
	CU_ASSERT_FALSE(net_tickets_find(tickets, (const unsigned char *)"0123456789abcdef", 1000, &found, &fresh));
	(void)munmap(tickets, sizeof *tickets);
}

/* What is too old is not only useless but gone. */
static void test_keys_are_erased(void)
{
	static const struct net_ticket_key nothing;
	struct net_tickets *tickets = new_tickets();

	for (int64_t hour = 0; hour < 7; hour++)
		(void)newest(tickets, 1 + hour * HOUR);
	net_tickets_tend(tickets, 2 + 6 * HOUR);
	for (size_t i = 0; i < NET_TICKET_KEYS; i++)
		CU_ASSERT_NOT_EQUAL(tickets->keys[i].made, 0);
	net_tickets_tend(tickets, 10 * HOUR);
	for (size_t i = 0; i < NET_TICKET_KEYS; i++)
		CU_ASSERT_EQUAL(memcmp(&tickets->keys[i], &nothing, sizeof nothing), 0);
	(void)munmap(tickets, sizeof *tickets);
}

static void in_child(struct net_tickets *tickets, bool dies_inside)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0) {
		struct net_ticket_key key;
		if (dies_inside)
			(void)pthread_mutex_lock(&tickets->lock);
		else if (!net_tickets_newest(tickets, 5, &key))
			_exit(1);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
}

static void test_processes(void)
{
	struct net_tickets *tickets = new_tickets();
	struct net_ticket_key found;
	bool fresh;

	in_child(tickets, false);
	struct net_ticket_key theirs = newest(tickets, 6);
	CU_ASSERT_EQUAL(theirs.made, 5); /* the child's */
	in_child(tickets, true);
	CU_ASSERT_FALSE(net_tickets_find(tickets, theirs.name, 7, &found, &fresh)); /* nothing is believed any more */
	struct net_ticket_key after = newest(tickets, 7);
	CU_ASSERT_FALSE(is_same(&theirs, &after));
	(void)munmap(tickets, sizeof *tickets);
}

static void put(const char *path, const char *text)
{
	char other[300];

	snprintf(other, sizeof other, "%s.new", path);
	int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	CU_ASSERT_EQUAL(rename(other, path), 0);
}

static void test_watch(void)
{
	char folder[] = "/tmp/postrider-watch-XXXXXX", one[200], two[200], both[410];
	struct net_watch watch;
	int64_t now = 100;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(one, sizeof one, "%s/one", folder);
	snprintf(two, sizeof two, "%s/two", folder);
	snprintf(both, sizeof both, "%s, %s", one, two);
	put(one, "a");
	net_watch_init(&watch);
	net_watch_add(&watch, pr_str(both));
	net_watch_add(&watch, PR_NONE);
	net_watch_begin(&watch);
	CU_ASSERT_FALSE(net_watch_changed(&watch, now += 10));
	put(one, "b");
	CU_ASSERT_FALSE(net_watch_changed(&watch, now)); /* not so soon again */
	CU_ASSERT_FALSE(net_watch_changed(&watch, now += 10)); /* it may not be over */
	put(two, "there was none before");
	CU_ASSERT_FALSE(net_watch_changed(&watch, now += 10));
	CU_ASSERT_TRUE(net_watch_changed(&watch, now += 10));
	CU_ASSERT_FALSE(net_watch_changed(&watch, now += 10)); /* once */
	unlink(two);
	CU_ASSERT_FALSE(net_watch_changed(&watch, now += 10));
	CU_ASSERT_TRUE(net_watch_changed(&watch, now += 10));
	net_watch_fini(&watch);
	unlink(one);
	rmdir(folder);
}

static const struct unit_case cases[] = {{"keys grow old", test_keys_grow_old}, {"keys are erased", test_keys_are_erased}, {"processes share them", test_processes},
	{"replaced files", test_watch}, {NULL, NULL}};

UNIT_MAIN("tls server", cases)
