/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tries by itself first, so nothing changes where the administrator has given the file to our group.
 * One question at a time; an answer that comes after its question was given up is known by its number and thrown away.
 */
#include "kernel/net/tls/file.h"

#include "kernel/net/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static int master = -1;
static uint32_t serial;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void net_tls_file_ask(int socket)
{
	master = socket;
}

/* With the lock. */
static int receive(int *fd_out)
{
	struct channel_message answer;
	int fd;

	while (channel_receive(master, &answer, &fd, PATIENCE_MS) > 0) {
		if (answer.kind == CHANNEL_FILE && answer.serial == serial) {
			*fd_out = fd;
			return fd >= 0 ? 0 : answer.number > 0 ? (int)answer.number : EACCES;
		}
		if (fd >= 0)
			close(fd);
	}
	return EACCES;
}

static int ask(const char *path, int *fd_out)
{
	int error = EACCES;

	pthread_mutex_lock(&lock);
	if (channel_send(master, CHANNEL_FILE, ++serial, 0, pr_str(path), -1))
		error = receive(fd_out);
	pthread_mutex_unlock(&lock);
	return error;
}

int net_tls_file_open(const char *path, int *fd_out)
{
	*fd_out = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd_out >= 0)
		return 0;
	return errno == EACCES && master >= 0 ? ask(path, fd_out) : errno;
}

int net_tls_file_stat(const char *path, struct stat *info_out)
{
	int error = stat(path, info_out) == 0 ? 0 : errno, fd;

	if (error != EACCES || net_tls_file_open(path, &fd) != 0)
		return error;
	error = fstat(fd, info_out) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static int read_all(int fd, BIO *text)
{
	char buffer[8192];
	size_t total = 0;
	ssize_t got;

	while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		total += (size_t)got;
		if (total > NET_TLS_FILE_MAX || BIO_write(text, buffer, (int)got) != (int)got)
			break;
	}
	int error = total > NET_TLS_FILE_MAX ? EFBIG : got < 0 ? errno : got > 0 ? ENOMEM : 0;
	OPENSSL_cleanse(buffer, sizeof buffer);
	return error;
}

BIO *net_tls_file_read(const char *path, int *error_out)
{
	int fd;

	*error_out = net_tls_file_open(path, &fd);
	if (*error_out != 0)
		return NULL;
	BIO *text = BIO_new(BIO_s_mem());
	*error_out = text != NULL ? read_all(fd, text) : ENOMEM;
	close(fd);
	if (*error_out == 0)
		return text;
	BIO_free(text);
	return NULL;
}
