/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a process in the pod: a container's command in a root of its own, or a command beside
 * it (exec). The child says over a socket pair what went wrong; silence and end mean that it runs.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long number(const struct message *spec, const char *key, long otherwise)
{
	const char *value = message_get(spec, key);
	return value ? strtol(value, NULL, 10) : otherwise;
}

/* Capabilities (`caps=<hex mask>`), user and groups, and no way to gain more. */
int take_identity(const struct message *spec, char *error, size_t n)
{
	const char *mask = message_get(spec, "caps");
	uint64_t keep = mask ? strtoull(mask, NULL, 16) : 0;
	uid_t uid = (uid_t)number(spec, "uid", 0);
	gid_t gid = (gid_t)number(spec, "gid", 0), groups[32];
	size_t n_groups = 0;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EINVAL: the kernel does not know it */
	for (const char *g = message_get(spec, "group"); g && n_groups < 32; g = message_next(spec, "group", g))
		groups[n_groups++] = (gid_t)strtol(g, NULL, 10);
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[2] = {{(uint32_t)keep, (uint32_t)keep, 0},
						 {(uint32_t)(keep >> 32), (uint32_t)(keep >> 32), 0}};
	if (setgroups(n_groups, groups) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
	    (uid == 0 && syscall(SYS_capset, &head, caps)) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(error, n, "identity of the process: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* Joins the control groups whose cgroup.procs came along. */
static int join_cgroups(const struct message *spec)
{
	int i = 0;
	for (const char *v = message_get(spec, "fd"); v && i < spec->n_fds; v = message_next(spec, "fd", v), i++)
		if (!strncmp(v, "cgroup", 6) && write(spec->fds[i], "0", 1) != 1)
			return -1;
	return 0;
}

/* A terminal of the container's own /dev/pts as 0, 1 and 2; its other end goes to `report`. */
static int take_terminal(const struct message *spec, int report)
{
	int unlock = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock))
		return -1;
	int end = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (end < 0)
		return -1;
	struct winsize size = {(unsigned short)number(spec, "rows", 24),
			       (unsigned short)number(spec, "columns", 80), 0, 0};
	ioctl(master, TIOCSWINSZ, &size);
	fchown(end, (uid_t)number(spec, "uid", 0), 5);
	struct answer a = {.len = 0};
	answer_add(&a, "terminal", "1");
	if (answer_send(report, &a, master) || ioctl(end, TIOCSCTTY, 0))
		return -1;
	dup2(end, 0);
	dup2(end, 1);
	dup2(end, 2);
	if (end > 2)
		close(end);
	return 0;
}

static int take_pipes(const struct spawn *what)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return dup2(what->in >= 0 ? what->in : null, 0) < 0 ||
	       dup2(what->out >= 0 ? what->out : null, 1) < 0 ||
	       dup2(what->err >= 0 ? what->err : null, 2) < 0;
}

static int enter(const struct spawn *what, char *error, size_t n)
{
	if (join_cgroups(what->spec)) {
		snprintf(error, n, "control group: %s", strerror(errno));
		return -1;
	}
	if (!what->join)
		return build_root(what->spec, error, n);
	int pidfd = (int)syscall(SYS_pidfd_open, what->join, 0);
	if (pidfd < 0 || setns(pidfd, CLONE_NEWNS)) {
		snprintf(error, n, "the container's files: %s", strerror(errno));
		return -1;
	}
	close(pidfd);
	return 0;
}

static int image = -1; /* this very program, on a mount that nobody can write through */

/* To be called while the host's mounts are in sight. A container that names no command runs this
 * program, and its root user may do with /proc/PID/exe what that file's mount allows. */
int keep_image(void)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	image = open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return image < 0 ? -1 : mount_setattr(image, "", AT_EMPTY_PATH, &read_only, sizeof read_only);
}

static void run_command(const struct message *spec, char *error, size_t n)
{
	char **argv = message_vector(spec, "arg"), **env = message_vector(spec, "env");
	const char *cwd = message_get(spec, "cwd");
	if (chdir(cwd ? cwd : "/")) {
		snprintf(error, n, "working directory %s: %s", cwd, strerror(errno));
		return;
	}
	environ = env;
	if (!argv[0]) {
		sigset_t early;
		sigfillset(&early);
		sigprocmask(SIG_SETMASK, &early, NULL); /* until it can end well */
		syscall(SYS_execveat, image, "", (char *[]){"cn2-init", "pause", NULL}, env, AT_EMPTY_PATH);
	} else
		execvp(argv[0], argv);
	snprintf(error, n, "exec: \"%s\": %s", argv[0] ? argv[0] : "pause",
		 errno == ENOENT ? "executable file not found in $PATH" : strerror(errno));
}

static void child(const struct spawn *what, int report)
{
	struct answer a = {.len = 0};
	char error[512] = "";
	sigset_t none;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* what `nohup cn2 up` ignored is not the container's */
	int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (score >= 0) {
		if (write(score, "500", 3) < 0) /* the container goes before its parent */
			errno = 0;
		close(score);
	}
	if (!enter(what, error, sizeof error)) {
		struct answer where = {.len = 0};
		answer_add(&where, "namespace", "%lu", (unsigned long)mount_namespace_of("self"));
		answer_send(report, &where, -1);
		if (what->tty ? take_terminal(what->spec, report) : take_pipes(what))
			snprintf(error, sizeof error, "standard streams: %s", strerror(errno));
		else if (!take_identity(what->spec, error, sizeof error))
			run_command(what->spec, error, sizeof error);
	}
	answer_add(&a, "error", "%s", error);
	answer_send(report, &a, -1);
	_exit(128);
}

/* Starts it and waits until it runs or has failed. 0, or -1 with made->error. */
int spawn(const struct spawn *what, struct spawned *made)
{
	int pair[2];
	struct message said;
	*made = (struct spawned){.master = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		snprintf(made->error, sizeof made->error, "socket pair: %s", strerror(errno));
		return -1;
	}
	made->pid = fork();
	if (!made->pid)
		child(what, pair[1]);
	close(pair[1]);
	if (made->pid < 0)
		snprintf(made->error, sizeof made->error, "fork: %s", strerror(errno));
	for (char byte; made->pid > 0 && recv(pair[0], &byte, 1, MSG_PEEK) > 0;) {
		if (message_receive(pair[0], &said) != 1)
			break;
		if (message_get(&said, "error"))
			snprintf(made->error, sizeof made->error, "%s", message_get(&said, "error"));
		else if (message_get(&said, "namespace"))
			made->mount_namespace = strtoul(message_get(&said, "namespace"), NULL, 10);
		else if (said.n_fds)
			made->master = said.fds[--said.n_fds];
		message_free(&said);
	}
	close(pair[0]);
	if (!made->error[0])
		return 0;
	if (made->pid > 0)
		waitpid(made->pid, NULL, 0);
	if (made->master >= 0)
		close(made->master);
	return -1;
}
