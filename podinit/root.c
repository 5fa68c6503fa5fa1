/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's file system: the host's files below a layer of its own on a tmpfs, with what must
 * not be seen hidden. Everything lives in the container's mount namespace and goes with it.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define QUIET (MS_NODEV | MS_NOSUID | MS_NOEXEC)

/* The kernel's own files that a container of a usual runtime does not see, or cannot write. */
static const char *const HIDDEN[] = {
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	"/sys/firmware", "/sys/devices/virtual/powercap", NULL};
static const char *const READ_ONLY[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

static int fail(char *error, size_t n, const char *what, const char *path)
{
	snprintf(error, n, "%s %s: %s", what, path, strerror(errno));
	return -1;
}

static int make_nodes(void)
{
	static const struct {
		const char *path;
		unsigned minor;
		unsigned major;
	} nodes[] = {{"/dev/null", 3, 1},   {"/dev/zero", 5, 1},    {"/dev/full", 7, 1},
		     {"/dev/random", 8, 1}, {"/dev/urandom", 9, 1}, {"/dev/tty", 0, 5}};
	mode_t before = umask(0);
	int rc = 0;
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		rc |= mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
	umask(before);
	return rc;
}

static int make_dev(char *error, size_t n)
{
	if (mount("dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") || make_nodes())
		return fail(error, n, "device nodes in", "/dev");
	if (mkdir("/dev/pts", 0755) || mkdir("/dev/shm", 01777) || mkdir("/dev/mqueue", 01777) ||
	    symlink("pts/ptmx", "/dev/ptmx") || symlink("/proc/self/fd", "/dev/fd") ||
	    symlink("/proc/self/fd/0", "/dev/stdin") || symlink("/proc/self/fd/1", "/dev/stdout") ||
	    symlink("/proc/self/fd/2", "/dev/stderr"))
		return fail(error, n, "entries of", "/dev");
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5"))
		return fail(error, n, "terminals in", "/dev/pts");
	if (mount("shm", "/dev/shm", "tmpfs", QUIET, "mode=1777,size=64m"))
		return fail(error, n, "memory in", "/dev/shm");
	mount("mqueue", "/dev/mqueue", "mqueue", QUIET, NULL); /* not in every kernel */
	return 0;
}

static int hide(const char *path, const char *options, char *error, size_t n)
{
	struct stat st;
	if (stat(path, &st))
		return 0; /* what is not there need not be hidden */
	if (!S_ISDIR(st.st_mode))
		return mount("/dev/null", path, NULL, MS_BIND, NULL) ? fail(error, n, "hiding", path) : 0;
	unsigned long flags = MS_NODEV | MS_NOSUID | (options ? 0 : MS_RDONLY);
	if (mount("hidden", path, "tmpfs", flags, options ? options : "mode=555,size=4k"))
		return fail(error, n, "hiding", path);
	return 0;
}

static int protect_kernel_files(char *error, size_t n)
{
	for (int i = 0; HIDDEN[i]; i++)
		if (hide(HIDDEN[i], NULL, error, n))
			return -1;
	for (int i = 0; READ_ONLY[i]; i++)
		if (!access(READ_ONLY[i], F_OK) &&
		    (mount(READ_ONLY[i], READ_ONLY[i], NULL, MS_BIND | MS_REC, NULL) ||
		     mount(NULL, READ_ONLY[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | QUIET, NULL)))
			return fail(error, n, "protecting", READ_ONLY[i]);
	return 0;
}

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		int rc = mkdir(path, 0755);
		*slash = '/';
		if (rc && errno != EEXIST)
			return -1;
	}
	return 0;
}

/* Something to mount on. A link that leads nowhere (resolv.conf into /run) gives way. */
static int make_place(const char *path, bool directory)
{
	struct stat st;
	if (!stat(path, &st))
		return 0;
	unlink(path);
	return directory ? mkdir(path, 0755) : close(open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
}

/* A volume between the pod's volumes and its place in the container: a mount attached nowhere. */
struct volume {
	int tree;
	bool directory;
	char *target;
};

/* Opens what is at a path of the pod's volumes, step by step: a link that a container has left in
 * its volume must not lead out of it. Directories that are missing are made, as kubelet does. */
static int open_source(char *path)
{
	const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	int at = open("/.cn2-host/volumes", flags);
	mode_t before = umask(0);
	for (char *name = strtok(path, "/"); name && at >= 0; name = strtok(NULL, "/")) {
		int above = at;
		at = strcmp(name, "..") ? openat(above, name, flags) : (errno = EINVAL, -1);
		if (at < 0 && errno == ENOENT && !mkdirat(above, name, 0777))
			at = openat(above, name, flags);
		int why = errno;
		close(above);
		errno = why;
	}
	umask(before);
	return at;
}

/* One record `mount=SOURCE:ro|rw:TARGET`, the source below the pod's volumes. */
static int open_volume(const char *record, struct volume *volume, char *error, size_t n)
{
	char *source = strdup(record), *mode, *target;
	struct mount_attr limits = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID};
	struct stat st;
	if (!source || !(mode = strchr(source, ':')) || !(target = strchr(mode + 1, ':')))
		return errno = EINVAL, fail(error, n, "mount", record);
	*mode++ = *target++ = 0;
	int fd = open_source(source);
	if (fd < 0 || fstat(fd, &st) || (S_ISLNK(st.st_mode) && (errno = ELOOP)))
		return fail(error, n, "mount at", target);
	if (!strcmp(mode, "ro"))
		limits.attr_set |= MOUNT_ATTR_RDONLY;
	volume->tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (volume->tree < 0 || mount_setattr(volume->tree, "", AT_EMPTY_PATH, &limits, sizeof limits))
		return fail(error, n, "mount at", target);
	close(fd);
	volume->directory = S_ISDIR(st.st_mode);
	volume->target = target;
	return 0;
}

static int attach_volume(const struct volume *volume, char *error, size_t n)
{
	if (make_parents(volume->target) || make_place(volume->target, volume->directory) ||
	    move_mount(volume->tree, "", AT_FDCWD, volume->target, MOVE_MOUNT_F_EMPTY_PATH))
		return fail(error, n, "mount at", volume->target);
	close(volume->tree);
	return 0;
}

/* The volumes are put in their places when nothing of process 1's view is left: whatever links a
 * container has made, no place of a volume is in there. */
static int leave_with_volumes(const struct message *spec, char *error, size_t n)
{
	size_t count = 0;
	for (const char *p = message_get(spec, "mount"); p; p = message_next(spec, "mount", p))
		count++;
	struct volume *volumes = calloc(count + 1, sizeof *volumes), *next = volumes;
	if (!volumes)
		return fail(error, n, "volumes of", "the container");
	for (const char *p = message_get(spec, "mount"); p; p = message_next(spec, "mount", p))
		if (open_volume(p, next++, error, n))
			return -1;
	if (umount2("/.cn2-host", MNT_DETACH) || rmdir("/.cn2-host"))
		return fail(error, n, "leaving", "/.cn2-host");
	for (size_t i = 0; i < count; i++)
		if (attach_volume(&volumes[i], error, n))
			return -1;
	free(volumes);
	return 0;
}

/* Further file systems of the host (`also=/usr`) are seen read-only, without a layer. */
static int show_host_mounts(const struct message *spec, char *error, size_t n)
{
	char source[4096];
	for (const char *p = message_get(spec, "also"); p; p = message_next(spec, "also", p)) {
		snprintf(source, sizeof source, "/.cn2-host/host%s", p);
		if (mount(source, p, NULL, MS_BIND, NULL) && errno != ENOENT)
			return fail(error, n, "the host's", p);
	}
	return 0;
}

static int overlay(const char *size, char *error, size_t n)
{
	char options[128];
	snprintf(options, sizeof options, "mode=755,size=%s", size ? size : "1g");
	if (mount("layer", "/layer", "tmpfs", MS_NODEV | MS_NOSUID, options) ||
	    mkdir("/layer/upper", 0755) || mkdir("/layer/work", 0755) || mkdir("/layer/root", 0755))
		return fail(error, n, "layer of", "the container");
	if (mount("overlay", "/layer/root", "overlay", MS_NODEV | MS_NOSUID,
		  "lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work"))
		return fail(error, n, "overlay at", "/");
	return 0;
}

/* One record `fresh=MODE:UID:GID:PATH`: an empty directory. At the root it is a file system of its
 * own; below one of those it is made; what the host lacks is left out. */
static int refresh(const char *record, char *error, size_t n)
{
	unsigned mode, uid, gid;
	char options[64];
	int at = 0;
	if (sscanf(record, "%o:%u:%u:%n", &mode, &uid, &gid, &at) != 3 || record[at] != '/')
		return errno = EINVAL, fail(error, n, "fresh", record);
	const char *path = record + at;
	if (strchr(path + 1, '/'))
		return (mkdir(path, 0700) && errno != EEXIST) || chown(path, uid, gid) || chmod(path, mode)
			       ? fail(error, n, "directory", path)
			       : 0;
	snprintf(options, sizeof options, "mode=%o,uid=%u,gid=%u,size=1g", mode, uid, gid);
	if (hide(path, options, error, n))
		return -1;
	if (!strcmp(path, "/run"))
		mkdir("/run/lock", 01777);
	if (!strcmp(path, "/var") && (symlink("/run", "/var/run") || symlink("/run/lock", "/var/lock")))
		return fail(error, n, "links in", path);
	return 0;
}

/* As container runtimes do; where it cannot be made, entering it says why. */
static void make_working_directory(const char *cwd)
{
	char path[4096];
	if (!cwd || *cwd != '/' || snprintf(path, sizeof path, "%s/", cwd) >= (int)sizeof path)
		return;
	make_parents(path);
}

/* Builds the root and moves into it. Runs in the child that becomes the container's process. */
int build_root(const struct message *spec, char *error, size_t n)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail(error, n, "mount namespace of", "the container");
	if (overlay(message_get(spec, "layer"), error, n))
		return -1;
	if (chdir("/layer/root") || (mkdir(".cn2-host", 0700) && errno != EEXIST) ||
	    syscall(SYS_pivot_root, ".", ".cn2-host") || chdir("/"))
		return fail(error, n, "pivot_root to", "/layer/root");
	if (show_host_mounts(spec, error, n))
		return -1;
	if (mount("proc", "/proc", "proc", QUIET, NULL) ||
	    mount("sysfs", "/sys", "sysfs", QUIET | MS_RDONLY, NULL))
		return fail(error, n, "mount of", "/proc and /sys");
	if (make_dev(error, n) || protect_kernel_files(error, n))
		return -1;
	for (const char *p = message_get(spec, "fresh"); p; p = message_next(spec, "fresh", p))
		if (refresh(p, error, n))
			return -1;
	for (const char *p = message_get(spec, "hide"); p; p = message_next(spec, "hide", p))
		if (hide(p, NULL, error, n))
			return -1;
	if (leave_with_volumes(spec, error, n))
		return -1;
	make_working_directory(message_get(spec, "cwd"));
	if (message_get(spec, "read-only") &&
	    mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOSUID, NULL))
		return fail(error, n, "read-only", "/");
	return 0;
}
