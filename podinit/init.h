/* SPDX-License-Identifier: Apache-2.0
 *
 * cn2-init: the small parent of one pod's processes.
 *
 * It is process 1 of the pod's PID namespace and outlives the pod runner that started it: it keeps
 * the containers' logs (CRI format) and exit records in files under the pod's directory and is
 * driven over a SOCK_SEQPACKET unix socket there. The pod runner may come and go.
 */
#ifndef CN2_INIT_H
#define CN2_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define MAX_MESSAGE (1 << 20) /* one request: argv, environment, mounts */
#define MAX_FDS 8             /* passed along with one request */

/* A message on the socket: `key=value\0` records, keys may repeat. */
struct message {
	char *data;
	size_t len;
	int fds[MAX_FDS];
	int n_fds;
};

/* An answer being put together; too long an answer is cut at a record. */
struct answer {
	char data[2048];
	size_t len;
};

const char *message_get(const struct message *m, const char *key);
const char *message_next(const struct message *m, const char *key, const char *after);
char **message_vector(const struct message *m, const char *key);
int message_fd(const struct message *m, const char *name);
int message_receive(int sock, struct message *m);
void message_free(struct message *m);
void answer_add(struct answer *a, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int answer_send(int sock, const struct answer *a, int fd);

/* RFC 3339 in UTC with nine digits, as the CRI log format wants. */
#define STAMP_SIZE 40
void stamp(char out[STAMP_SIZE]);

/* One stream of a container's output, on its way into the log file. */
struct log_file {
	int dir;         /* the pod's directory */
	char path[512];  /* below it */
	int fd;
	off_t size;
};
struct log_stream {
	struct log_file *file;
	const char *name; /* stdout or stderr */
	char line[16384];
	size_t len;
};
int log_open(struct log_file *file, int dir, const char *path);
void log_close(struct log_file *file);
void log_bytes(struct log_stream *stream, const char *data, size_t n);
void log_flush(struct log_stream *stream);

/* What a new process of the pod is made of. */
struct spawn {
	const struct message *spec;
	int in, out, err; /* become 0, 1, 2; -1 with tty */
	bool tty;
	pid_t join; /* exec: the process whose mount namespace is entered; 0: a new root */
};
struct spawned {
	pid_t pid;
	int master; /* the terminal's other end, or -1 */
	ino_t mount_namespace; /* told by itself: it may have ended by the time that spawn returns */
	char error[512];
};
int spawn(const struct spawn *what, struct spawned *made);
int keep_image(void); /* for containers that name no command */

int sandbox(int argc, char **argv);         /* mode `sandbox`: makes the pod, becomes its parent */
int serve(int listener, int pod_dir);       /* the event loop of process 1 */
int build_root(const struct message *spec, char *error, size_t n); /* a container's file system */
int take_identity(const struct message *spec, char *error, size_t n);
void kill_namespace(ino_t mount_namespace); /* every process of the pod in that mount namespace */
ino_t mount_namespace_of(const char *process); /* a directory of /proc; 0 when it has none */

#endif
