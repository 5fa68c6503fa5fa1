/* SPDX-License-Identifier: Apache-2.0
 *
 * Mode `sandbox`: makes the pod's namespaces and leaves process 1 behind in them.
 *
 * Process 1 sees next to nothing of the host: a read-only, non-recursive view of the root file
 * system at /host (the lower layer of the containers' roots), /volumes (a tmpfs that the pod
 * runner fills through /proc/PID/root), and /proc. It holds none of the host's other mounts, so
 * it pins no network namespace of another pod.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NSFS_MAGIC 0x6e736673

static int fail(const char *what)
{
	fprintf(stderr, "cn2-init: %s: %s\n", what, strerror(errno));
	return -1;
}

static int loopback_up(void)
{
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
	strcpy(request.ifr_name, "lo");
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &request))
		return fail("loopback");
	close(sock);
	return 0;
}

/* As container runtimes do, so that a server needs no root user for port 80. */
static void open_low_ports(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("low ports");
	close(fd);
}

/* Enters the network namespace at path; makes it, with lo up, when it is not there. */
static int enter_network(const char *path)
{
	struct statfs fs;
	if (!statfs(path, &fs) && fs.f_type == NSFS_MAGIC) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET))
			return fail(path);
		close(fd);
		return 0;
	}
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(path);
	close(fd);
	if (unshare(CLONE_NEWNET) || loopback_up())
		return fail("network namespace");
	open_low_ports();
	if (mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL))
		return fail("bind of the network namespace");
	return 0;
}

/* The control socket, bound by a relative name: a data directory's path may be a long one. */
static int listen_in(int dir)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "init.sock"};
	int size = 2 * MAX_MESSAGE;
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || fchdir(dir))
		return fail("control socket");
	unlinkat(dir, at.sun_path, 0);
	mode_t before = umask(0177);
	int rc = bind(sock, (struct sockaddr *)&at, sizeof at);
	umask(before);
	if (rc || listen(sock, 64))
		return fail("control socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return sock;
}

/* A further file system of the host's root, e.g. a separate /usr, in the view that pods get. */
static int show_mount(const char *root, const char *path)
{
	char at[8300];
	snprintf(at, sizeof at, "%s/host%s", root, path);
	if (mount(path, at, NULL, MS_BIND, NULL))
		return errno == ENOENT ? 0 : fail(path);
	if (mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOSUID, NULL))
		return fail(path);
	return 0;
}

/* Leaves the host's mounts for a small root of our own. `root` is an empty directory. */
static int leave_host(const char *root, int n_mounts, char **mounts)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail("mount namespace");
	if (mount("pod", root, "tmpfs", MS_NODEV | MS_NOSUID, "mode=755,size=16m") || chdir(root))
		return fail("root of the pod");
	if (mkdir("host", 0755) || mkdir("old", 0700) || mkdir("proc", 0755) || mkdir("volumes", 0755) ||
	    mkdir("layer", 0700))
		return fail("root of the pod");
	if (mount("/", "host", NULL, MS_BIND, NULL) ||
	    mount(NULL, "host", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOSUID, NULL))
		return fail("the host's files");
	for (int i = 0; i < n_mounts; i++)
		if (show_mount(root, mounts[i]))
			return -1;
	if (mount("volumes", "volumes", "tmpfs", MS_NODEV | MS_NOSUID, "mode=755") ||
	    mount("proc", "proc", "proc", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL))
		return fail("file systems of the pod");
	if (syscall(SYS_pivot_root, ".", "old") || chdir("/") || umount2("/old", MNT_DETACH))
		return fail("pivot_root");
	return 0;
}

/* Says in file `init` who process 1 is: `pid start-time boot-id`, enough to know it again. */
static int write_identity(int dir, pid_t pid)
{
	char path[64], line[4096], boot[64] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *stat = fopen(path, "re"), *id = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned long long start = 0;
	if (stat && fgets(line, sizeof line, stat)) {
		char *at = strrchr(line, ')'); /* the name in brackets may contain anything */
		for (int field = 2; at && field < 22; field++)
			at = strchr(at + 1, ' ');
		start = at ? strtoull(at + 1, NULL, 10) : 0;
	}
	if (!id || !fgets(boot, sizeof boot, id) || !start)
		return fail("identity of process 1");
	fclose(stat);
	fclose(id);
	boot[strcspn(boot, "\n")] = 0;
	int fd = openat(dir, "init.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, "%d %llu %s\n", pid, start, boot) < 0 || close(fd) ||
	    renameat(dir, "init.new", dir, "init"))
		return fail("identity of process 1");
	return 0;
}

/* The control groups of the whole pod (`cgroup:PATH` of a cgroup.procs), opened while in reach. */
struct groups {
	int fds[4];
	int n;
};

static int open_groups(struct groups *groups, int *argc, char ***argv)
{
	for (groups->n = 0; *argc && !strncmp(**argv, "cgroup:", 7) && groups->n < 4; ++*argv, --*argc)
		if ((groups->fds[groups->n++] = open(**argv + 7, O_WRONLY | O_CLOEXEC)) < 0)
			return fail(**argv);
	return 0;
}

/* Joining takes the kernel some 10 ms: it is done while the network is being set up. */
static void join_groups(const struct groups *groups)
{
	for (int i = 0; i < groups->n; i++) {
		if (write(groups->fds[i], "0", 1) != 1) {
			fail("control group");
			_exit(1); /* rather no pod than one without limits */
		}
		close(groups->fds[i]);
	}
}

/* `parent` hears when the view is made, and says when it has written down who this is: a process 1
 * that nobody knows would live for ever. */
static void run_init(int listener, int dir, int parent, const char *root, const struct groups *groups,
		     int n, char **mounts)
{
	char byte;
	setsid();
	if (keep_image()) {
		fail("own image");
		_exit(1);
	}
	if (leave_host(root, n, mounts))
		_exit(1);
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); /* else the pod had its starter's keys */
	prctl(PR_SET_NAME, "cn2-init");
	prctl(PR_SET_DUMPABLE, 0); /* /proc/1 of a pod's init is nobody's but the host's */
	int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (score >= 0 && write(score, "-998", 4) < 0)
		errno = 0; /* without CAP_SYS_RESOURCE it stays at its parent's */
	close(score);
	int log = openat(dir, "init.log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (write(parent, "r", 1) != 1)
		_exit(1);
	dup2(log, 0);
	dup2(log, 1);
	dup2(log, 2);
	join_groups(groups);
	if (read(parent, &byte, 1) != 1)
		_exit(1);
	close(parent);
	_exit(serve(listener, dir));
}

int sandbox(int argc, char **argv)
{
	char root[4096], byte, **mounts = argv + 3;
	struct groups groups;
	int ends[2], n_mounts = argc - 3;
	if (argc < 3)
		return 2;
	int dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(argv[0]), 1;
	snprintf(root, sizeof root, "%s/root", argv[0]);
	mkdir(root, 0700);
	int listener = listen_in(dir);
	if (listener < 0 || open_groups(&groups, &n_mounts, &mounts) || enter_network(argv[1]) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return 1;
	if (unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) ||
	    sethostname(argv[2], strlen(argv[2])))
		return fail("namespaces"), 1;
	pid_t pid = fork();
	if (pid < 0)
		return fail("fork"), 1;
	if (!pid) {
		close(ends[0]);
		run_init(listener, dir, ends[1], root, &groups, n_mounts, mounts);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1 || write_identity(dir, pid) || write(ends[0], "k", 1) != 1) {
		kill(pid, SIGKILL);
		return 1;
	}
	return 0;
}
