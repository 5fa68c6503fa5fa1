/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting and ending the pod's containers, and the record of each run on disk.
 */
#define _GNU_SOURCE
#include "containers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct container *all;

struct container *container_first(void)
{
	return all;
}

struct container *container_find(const char *id)
{
	struct container *c = all;
	while (c && (!id || strcmp(c->id, id)))
		c = c->next;
	return c;
}

struct container *container_of_pid(pid_t pid)
{
	struct container *c = all;
	while (c && c->pid != pid)
		c = c->next;
	return c;
}

void container_describe(const struct container *c, struct answer *a)
{
	answer_add(a, "op", "state");
	answer_add(a, "id", "%s", c->id);
	answer_add(a, "state", c->pid ? "running" : "exited");
	answer_add(a, "started", "%s", c->started);
	if (c->pid)
		return;
	answer_add(a, "finished", "%s", c->finished);
	answer_add(a, "exit", "%d", c->exit_code);
	answer_add(a, "signal", "%d", c->signal);
	answer_add(a, "error", "%s", c->error);
}

/* The same as container_describe says, a line each, so that it outlives this process. */
static void record(const struct container *c, int pod_dir)
{
	struct answer a = {.len = 0};
	char path[400], fresh[400];
	snprintf(path, sizeof path, "containers/%s.state", c->id);
	snprintf(fresh, sizeof fresh, "containers/%s.new", c->id);
	container_describe(c, &a);
	for (size_t i = 0; i < a.len; i++)
		if (!a.data[i])
			a.data[i] = '\n';
	int fd = openat(pod_dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, a.data, a.len) != (ssize_t)a.len || close(fd) ||
	    renameat(pod_dir, fresh, pod_dir, path))
		fprintf(stderr, "record of %s: %s\n", c->id, strerror(errno));
}

/* Earlier runs of the same container are on disk; they need no entry any more. */
static void forget_earlier(const char *id)
{
	size_t n = strcspn(id, "/") + 1;
	for (struct container **at = &all; *at;) {
		struct container *c = *at;
		bool drained = c->output[0] < 0 && c->output[1] < 0;
		if (c->pid || !drained || strncmp(c->id, id, n)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		log_close(&c->log); /* open still if it could not even start */
		free(c);
	}
}

static void make_pipe(int *read_end, int *write_end)
{
	int ends[2] = {-1, -1};
	if (pipe2(ends, O_CLOEXEC))
		fprintf(stderr, "pipe: %s\n", strerror(errno));
	*read_end = ends[0];
	*write_end = ends[1];
}

static void start(struct container *c, const struct message *spec)
{
	struct spawned made;
	struct spawn what = {.spec = spec, .in = -1, .out = -1, .err = -1, .tty = message_get(spec, "tty")};
	if (!what.tty) {
		make_pipe(&c->output[0], &what.out);
		make_pipe(&c->output[1], &what.err);
		if (message_get(spec, "stdin"))
			make_pipe(&what.in, &c->input);
	}
	if (spawn(&what, &made)) {
		snprintf(c->error, sizeof c->error, "%s", made.error);
		container_close_input(c);
		c->exit_code = 128;
		stamp(c->finished);
	} else {
		c->pid = made.pid;
		c->mount_namespace = made.mount_namespace;
		c->master = made.master;
		if (what.tty)
			c->output[0] = fcntl(made.master, F_DUPFD_CLOEXEC, 3);
	}
	close(what.in);
	close(what.out);
	close(what.err);
}

/* Starts a run (`id=NAME/ATTEMPT`); one that could not start is an ended run with its error. */
struct container *container_run(const struct message *spec, int pod_dir)
{
	const char *id = message_get(spec, "id");
	struct container *c = id && strlen(id) < sizeof c->id ? calloc(1, sizeof *c) : NULL;
	char path[400];
	if (!c)
		return NULL;
	forget_earlier(id);
	strcpy(c->id, id);
	c->input = c->master = c->output[0] = c->output[1] = -1;
	c->input_once = message_get(spec, "stdin-once");
	c->streams[0] = (struct log_stream){.file = &c->log, .name = "stdout"};
	c->streams[1] = (struct log_stream){.file = &c->log, .name = "stderr"};
	mkdirat(pod_dir, "containers", 0700);
	snprintf(path, sizeof path, "containers/%.*s", (int)strcspn(id, "/"), id);
	mkdirat(pod_dir, path, 0700);
	snprintf(path, sizeof path, "containers/%s.log", id);
	if (log_open(&c->log, pod_dir, path))
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	stamp(c->started);
	start(c, spec);
	c->next = all;
	all = c;
	record(c, pod_dir);
	return c;
}

void container_close_input(struct container *c)
{
	if (c->input >= 0)
		close(c->input);
	c->input = -1;
}

void container_ended(struct container *c, int wait_status, int pod_dir)
{
	kill_namespace(c->mount_namespace);
	stamp(c->finished);
	c->pid = 0;
	c->signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	c->exit_code = c->signal ? 128 + c->signal : WEXITSTATUS(wait_status);
	container_close_input(c);
	if (c->master >= 0)
		close(c->master);
	c->master = -1;
	record(c, pod_dir);
}

ino_t mount_namespace_of(const char *process)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%s/ns/mnt", process);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* What a container's command left running ends with it. Repeated, as they may be forking. */
void kill_namespace(ino_t mount_namespace)
{
	for (int pass = 0, found = 1; found && mount_namespace && pass < 100; pass++) {
		DIR *proc = opendir("/proc");
		found = 0;
		for (struct dirent *entry; proc && (entry = readdir(proc));) {
			pid_t pid = atoi(entry->d_name);
			if (pid > 1 && mount_namespace_of(entry->d_name) == mount_namespace) {
				kill(pid, SIGKILL);
				found = 1;
			}
		}
		if (proc)
			closedir(proc);
		if (found)
			sched_yield();
	}
}
