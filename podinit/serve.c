/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop of process 1: requests on the control socket, the containers' output, and the
 * ends of processes. One event at a time, so that nothing handled is freed under another event.
 *
 * Requests (`op=`):  run     start a container       -> state
 *                    exec    a command beside one    -> running [terminal], later exit=;
 *                            with `mortal=1` it is killed when who asked for it goes
 *                    attach  a container's streams   -> attached [input], then data packets `1`/`2`
 *                    kill    signal to a container   -> ok
 *                    socket  a TCP socket of the pod -> ok [socket]
 *                    tmpfs   a volume of limited size -> ok
 *                    watch   states of all, now and on every change
 */
#define _GNU_SOURCE
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum source { LISTENER, SIGNALS, CLIENT, OUTPUT };

struct client {
	struct client *next;
	int fd;
	bool watches;
	pid_t exec;                 /* the command that it asked for */
	bool mortal;                /* which ends with it */
	struct container *attached; /* whose output it gets */
	char attached_id[300];
};

static struct client *clients;
static int loop, pod;

/* Sources are told apart by the kind in the upper half and the descriptor in the lower. */
static void listen_to(enum source kind, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};
	if (fd >= 0)
		epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

/* Without stdin-once, the input outlives whoever attaches. */
static void end_input(struct container *c)
{
	if (c->input_once)
		container_close_input(c);
}

static void drop(struct client *gone)
{
	struct client **at = &clients;
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	struct container *c = gone->attached ? container_find(gone->attached_id) : NULL;
	if (c)
		end_input(c);
	if (gone->exec && gone->mortal)
		kill(-gone->exec, SIGKILL); /* it leads a session of its own */
	close(gone->fd);
	free(gone);
}

static void publish(const struct container *c)
{
	struct answer a = {.len = 0};
	container_describe(c, &a);
	for (struct client *at = clients, *next; at; at = next) {
		next = at->next;
		if (at->watches && answer_send(at->fd, &a, -1))
			drop(at); /* it is behind; it comes again and gets everything */
	}
}

/* Output goes to who is attached; who does not read for a second is cut off. */
static void forward(const struct container *c, int stream, const char *data, size_t n)
{
	char packet[8200] = {stream ? '2' : '1'};
	memcpy(packet + 1, data, n);
	for (struct client *at = clients, *next; at; at = next) {
		next = at->next;
		if (at->attached != c)
			continue;
		struct pollfd room = {.fd = at->fd, .events = POLLOUT};
		if (poll(&room, 1, 1000) < 1 || send(at->fd, packet, n + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			drop(at);
	}
}

static void hang_up_attached(const struct container *c)
{
	for (struct client *at = clients, *next; at; at = next) {
		next = at->next;
		if (at->attached == c)
			drop(at);
	}
}

/* Reads once from a container's output; false when there is nothing or it has ended. */
static bool read_output(struct container *c, int stream)
{
	char data[8192];
	ssize_t n = read(c->output[stream], data, sizeof data);
	if (n > 0) {
		log_bytes(&c->streams[stream], data, (size_t)n);
		forward(c, stream, data, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	log_flush(&c->streams[stream]);
	/* a terminal's other holders share the open file: closing alone would not end its events */
	epoll_ctl(loop, EPOLL_CTL_DEL, c->output[stream], NULL);
	close(c->output[stream]);
	c->output[stream] = -1;
	if (c->output[0] < 0 && c->output[1] < 0) {
		log_close(&c->log);
		hang_up_attached(c);
	}
	return false;
}

static void on_output(int fd)
{
	for (struct container *c = container_first(); c; c = c->next)
		for (int stream = 0; stream < 2; stream++)
			if (c->output[stream] == fd) {
				read_output(c, stream);
				return;
			}
}

/* Takes what the container wrote before its end, so that its log is whole when its end is told. */
static void drain(struct container *c)
{
	for (int stream = 0; stream < 2; stream++) {
		struct pollfd more = {.fd = c->output[stream], .events = POLLIN};
		while (more.fd >= 0 && poll(&more, 1, 0) > 0 && read_output(c, stream))
			;
	}
}

static void exec_ended(pid_t pid, int status)
{
	struct answer a = {.len = 0};
	for (struct client *at = clients; at; at = at->next)
		if (at->exec == pid) {
			answer_add(&a, "exit", "%d", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
			answer_send(at->fd, &a, -1);
			at->exec = 0;
			return;
		}
}

static void on_ended_children(int signals)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;
	if (read(signals, &info, sizeof info) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct container *c = container_of_pid(pid);
		if (!c) {
			exec_ended(pid, status);
			continue;
		}
		drain(c);
		container_ended(c, status, pod);
		drain(c);
		if (c->output[0] < 0 && c->output[1] < 0)
			hang_up_attached(c); /* it may have closed them itself, long before */
		publish(c);
	}
}

static void on_run(struct client *from, const struct message *m)
{
	struct answer a = {.len = 0};
	struct container *c = container_run(m, pod);
	if (!c) {
		answer_add(&a, "error", "not a run");
		answer_send(from->fd, &a, -1);
		return;
	}
	listen_to(OUTPUT, c->output[0]);
	listen_to(OUTPUT, c->output[1]);
	container_describe(c, &a);
	answer_send(from->fd, &a, -1);
	publish(c);
}

static void on_exec(struct client *from, const struct message *m, struct container *c, struct answer *a)
{
	struct spawned made;
	struct spawn what = {.spec = m,
			     .in = message_fd(m, "stdin"),
			     .out = message_fd(m, "stdout"),
			     .err = message_fd(m, "stderr"),
			     .tty = message_get(m, "tty"),
			     .join = c->pid};
	if (spawn(&what, &made)) {
		answer_add(a, "error", "%s", made.error);
		return;
	}
	from->exec = made.pid;
	from->mortal = message_get(m, "mortal");
	answer_add(a, "state", "running");
	answer_send(from->fd, a, made.master);
	a->len = 0;
	if (made.master >= 0)
		close(made.master);
}

static void on_attach(struct client *from, struct container *c, struct answer *a)
{
	from->attached = c;
	strcpy(from->attached_id, c->id);
	answer_add(a, "state", "attached");
	answer_send(from->fd, a, c->master >= 0 ? c->master : c->input);
	a->len = 0;
}

static void on_socket(struct client *from, const struct message *m, struct answer *a)
{
	const char *family = message_get(m, "family");
	int sock = socket(family && !strcmp(family, "6") ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0) {
		answer_add(a, "error", "socket: %s", strerror(errno));
		return;
	}
	answer_add(a, "state", "ok");
	answer_send(from->fd, a, sock);
	a->len = 0;
	close(sock);
}

/* A file system of its own at /volumes/VOLUME, an empty directory. */
static void on_tmpfs(const struct message *m, struct answer *a)
{
	const char *name = message_get(m, "volume"), *size = message_get(m, "size");
	char path[300], options[64];
	if (!name || !size || *name == '.' || strchr(name, '/') || strspn(size, "0123456789") != strlen(size)) {
		answer_add(a, "error", "not a volume");
		return;
	}
	snprintf(path, sizeof path, "/volumes/%s", name);
	snprintf(options, sizeof options, "mode=755,size=%s", size);
	if (mount("volume", path, "tmpfs", MS_NODEV | MS_NOSUID, options))
		answer_add(a, "error", "volume %s: %s", name, strerror(errno));
	else
		answer_add(a, "state", "ok");
}

static void on_kill(const struct message *m, const struct container *c, struct answer *a)
{
	const char *signal = message_get(m, "signal");
	if (kill(c->pid, signal ? atoi(signal) : SIGTERM))
		answer_add(a, "error", "kill: %s", strerror(errno));
	else
		answer_add(a, "state", "ok");
}

static void on_watch(struct client *from)
{
	from->watches = true;
	for (struct container *c = container_first(); c; c = c->next) {
		struct answer state = {.len = 0};
		container_describe(c, &state);
		answer_send(from->fd, &state, -1);
	}
	struct answer end = {.len = 0};
	answer_add(&end, "op", "synced");
	answer_send(from->fd, &end, -1);
}

static void on_request(struct client *from, const struct message *m)
{
	struct answer a = {.len = 0};
	const char *op = message_get(m, "op");
	struct container *c = container_find(message_get(m, "id"));
	bool running = c && c->pid;
	if (!op)
		answer_add(&a, "error", "no op");
	else if (!strcmp(op, "run"))
		on_run(from, m);
	else if (!strcmp(op, "watch"))
		on_watch(from);
	else if (!strcmp(op, "socket"))
		on_socket(from, m, &a);
	else if (!strcmp(op, "tmpfs"))
		on_tmpfs(m, &a);
	else if (!running)
		answer_add(&a, "error", "the container is not running");
	else if (!strcmp(op, "exec"))
		on_exec(from, m, c, &a);
	else if (!strcmp(op, "attach"))
		on_attach(from, c, &a);
	else if (!strcmp(op, "kill"))
		on_kill(m, c, &a);
	else if (!strcmp(op, "end-of-input"))
		end_input(c);
	else
		answer_add(&a, "error", "unknown op %s", op);
	if (a.len)
		answer_send(from->fd, &a, -1);
}

static void on_client(int fd)
{
	struct client *from = clients;
	struct message m;
	while (from && from->fd != fd)
		from = from->next;
	int rc = from ? message_receive(fd, &m) : -1;
	if (rc == 0)
		drop(from);
	if (rc != 1)
		return;
	on_request(from, &m);
	message_free(&m);
}

static void on_connection(int listener)
{
	int size = 2 * MAX_MESSAGE, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *fresh = fd < 0 ? NULL : calloc(1, sizeof *fresh);
	if (!fresh) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	*fresh = (struct client){.fd = fd, .next = clients};
	clients = fresh;
	listen_to(CLIENT, fd);
}

int serve(int listener, int pod_dir)
{
	sigset_t children;
	struct epoll_event event;
	pod = pod_dir;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	signal(SIGPIPE, SIG_IGN);
	int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	loop = epoll_create1(EPOLL_CLOEXEC);
	listen_to(LISTENER, listener);
	listen_to(SIGNALS, signals);
	for (;;) {
		if (epoll_wait(loop, &event, 1, -1) < 1)
			continue;
		int fd = (int)(uint32_t)event.data.u64;
		switch (event.data.u64 >> 32) {
		case LISTENER: on_connection(fd); break;
		case SIGNALS: on_ended_children(fd); break;
		case CLIENT: on_client(fd); break;
		case OUTPUT: on_output(fd); break;
		}
	}
}
