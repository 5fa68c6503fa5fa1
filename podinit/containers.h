/* SPDX-License-Identifier: Apache-2.0
 *
 * The containers of the pod as process 1 knows them: one entry per run of a container.
 */
#ifndef CN2_CONTAINERS_H
#define CN2_CONTAINERS_H

#include "init.h"

struct container {
	struct container *next;
	char id[300]; /* NAME/ATTEMPT; its files are containers/ID.log and containers/ID.state */
	pid_t pid;    /* 0 once it has ended */
	ino_t mount_namespace;
	int input;  /* writes to its standard input, or -1 */
	int master; /* its terminal, or -1 */
	bool input_once;
	int output[2]; /* what it writes to stdout and stderr, -1 when that has ended */
	struct log_file log;
	struct log_stream streams[2];
	char started[STAMP_SIZE], finished[STAMP_SIZE], error[512];
	int exit_code, signal;
};

struct container *container_run(const struct message *spec, int pod_dir);
struct container *container_find(const char *id);
struct container *container_of_pid(pid_t pid);
struct container *container_first(void);
void container_ended(struct container *c, int wait_status, int pod_dir);
void container_close_input(struct container *c);
void container_describe(const struct container *c, struct answer *a);

#endif
