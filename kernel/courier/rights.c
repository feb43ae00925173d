/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who, besides root and ourselves, may see the queue and have it run: decided by who the kernel says is at the other end, and by the owner,
 * group and mode of the queue directory, as sendmail does.
 */
#include "kernel/courier/internal.h"

#include "kernel/config/words.h"
#include "kernel/courier/index_internal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS_NEED 07 /* read, write and enter */

static bool is_in_group(int fd, gid_t own, gid_t wanted)
{
	gid_t groups[1024];
	socklen_t size = sizeof groups;

	if (own == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof groups[0]; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

static bool find_peer(int fd, struct ucred *peer_out)
{
	socklen_t size = sizeof *peer_out;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer_out, &size) == 0;
}

static bool find_queue(const struct courier *courier, struct stat *st_out)
{
	return courier->index != NULL && courier->index->places.count > 0 && stat(courier->index->places.items[0].path, st_out) == 0;
}

/* restrictmailq: root and the group of the queue directory; and the queue's owner. */
bool rights_see(const struct courier *courier, int fd)
{
	struct ucred peer;
	struct stat st;

	if (!find_peer(fd, &peer))
		return false;
	if (peer.uid == 0 || peer.uid == geteuid() || !config_list_has(&courier->options->privacy, PR_STR("restrictmailq")))
		return true;
	return find_queue(courier, &st) && (peer.uid == st.st_uid || is_in_group(fd, peer.gid, st.st_gid));
}

/* restrictqrun: root and the queue's owner; without it whoever could do the work himself, for the directory is open to him. */
bool rights_run(const struct courier *courier, int fd)
{
	struct ucred peer;
	struct stat st;

	if (!find_peer(fd, &peer))
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (!find_queue(courier, &st))
		return false;
	if (peer.uid == st.st_uid)
		return true;
	if (config_list_has(&courier->options->privacy, PR_STR("restrictqrun")))
		return false;
	unsigned int may = is_in_group(fd, peer.gid, st.st_gid) ? (unsigned int)st.st_mode >> 3 : (unsigned int)st.st_mode;
	return (may & RUNS_NEED) == RUNS_NEED;
}
