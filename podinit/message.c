/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages on the control socket: records `key=value\0`, with descriptors beside them.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The value of the next record with this key behind `after` (a value returned before, or NULL). */
const char *message_next(const struct message *m, const char *key, const char *after)
{
	size_t n = strlen(key);
	const char *end = m->data + m->len;
	const char *at = after ? after + strlen(after) + 1 : m->data;
	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, key, n) && at[n] == '=')
			return at + n + 1;
	return NULL;
}

const char *message_get(const struct message *m, const char *key)
{
	return message_next(m, key, NULL);
}

/* All values of a key, as argv and environ want them. The strings stay the message's. */
char **message_vector(const struct message *m, const char *key)
{
	size_t n = 0;
	for (const char *v = message_get(m, key); v; v = message_next(m, key, v))
		n++;
	char **all = calloc(n + 1, sizeof *all);
	if (!all)
		return NULL;
	n = 0;
	for (const char *v = message_get(m, key); v; v = message_next(m, key, v))
		all[n++] = (char *)v;
	return all;
}

/* The descriptor passed under this name: records `fd=NAME` stand in the descriptors' order. */
int message_fd(const struct message *m, const char *name)
{
	int i = 0;
	for (const char *v = message_get(m, "fd"); v && i < m->n_fds; v = message_next(m, "fd", v), i++)
		if (!strcmp(v, name))
			return m->fds[i];
	return -1;
}

/* Receives one packet. 1: a message, 0: the other side is gone, -1: try again later. */
int message_receive(int sock, struct message *m)
{
	memset(m, 0, sizeof *m);
	ssize_t size = recv(sock, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	if (size > MAX_MESSAGE)
		return 0;
	m->data = malloc((size_t)size + 1);
	if (!m->data)
		return 0;
	union {
		char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec iov = {m->data, (size_t)size};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control.space,
				.msg_controllen = sizeof control.space};
	ssize_t got = recvmsg(sock, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	for (struct cmsghdr *c = got >= 0 ? CMSG_FIRSTHDR(&header) : NULL; c; c = CMSG_NXTHDR(&header, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			m->n_fds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(m->fds, CMSG_DATA(c), (size_t)m->n_fds * sizeof(int));
		}
	if (got <= 0) {
		message_free(m);
		return 0;
	}
	m->len = (size_t)got;
	m->data[got] = 0;
	return 1;
}

void message_free(struct message *m)
{
	for (int i = 0; i < m->n_fds; i++)
		close(m->fds[i]);
	free(m->data);
	memset(m, 0, sizeof *m);
}

void answer_add(struct answer *a, const char *key, const char *format, ...)
{
	va_list args;
	size_t room = sizeof a->data - a->len;
	int head = snprintf(a->data + a->len, room, "%s=", key);
	if (head < 0 || (size_t)head >= room)
		return;
	va_start(args, format);
	int body = vsnprintf(a->data + a->len + head, room - (size_t)head, format, args);
	va_end(args);
	if (body < 0)
		return;
	size_t n = (size_t)head + (size_t)body;
	a->len += (n < room ? n : room - 1) + 1;
}

/* Sends an answer, with a descriptor when fd >= 0. Never blocks: -1 when the reader is behind. */
int answer_send(int sock, const struct answer *a, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	memset(&control, 0, sizeof control);
	struct iovec iov = {(void *)a->data, a->len};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fd >= 0) {
		header.msg_control = control.space;
		header.msg_controllen = sizeof control.space;
		struct cmsghdr *c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	return sendmsg(sock, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}
