/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of certificates and keys, which may be closed to the user a role runs as: what root keeps to itself the master opens (kernel/master/files.c),
 * if the configuration names it.
 */
#ifndef KERNEL_NET_TLS_FILE_H
#define KERNEL_NET_TLS_FILE_H

#include <openssl/bio.h>
#include <sys/stat.h>

#define NET_TLS_FILE_MAX (1u << 20) /* bytes */

/* The socket on which the master answers (kernel/net/channel.h, FILE); -1, as at the beginning: nobody is asked.  Before there are threads. */
void net_tls_file_ask(int socket);
/* As open(2) for reading and stat(2); 0 or an errno. */
int net_tls_file_open(const char *path, int *fd_out);
int net_tls_file_stat(const char *path, struct stat *info_out);
/* The whole file in memory, which is wiped when it is freed; NULL with an errno in *error_out, EFBIG beyond NET_TLS_FILE_MAX. */
BIO *net_tls_file_read(const char *path, int *error_out);

#endif
