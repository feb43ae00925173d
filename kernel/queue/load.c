/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One small read of a file that the kernel makes up; which file is an option, because in a container it is often another one.
 */
#include "kernel/queue/load.h"

#include <fcntl.h>
#include <unistd.h>

struct plan_load load_limits(const struct options *options)
{
	return (struct plan_load){.queue_la = options->queue_la, .factor = options->queue_factor};
}

int64_t load_average(const struct options *options)
{
	char text[128];
	int64_t load = 0;

	if (options->load_average_file.len == 0)
		return 0;
	int fd = open(options->load_average_file.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof text);
	close(fd);
	return got > 0 && plan_load_parse((struct pr_str){text, (size_t)got}, &load) ? load : 0;
}

int64_t load_read(const struct options *options)
{
	return options->queue_la > 0 ? load_average(options) : 0;
}
