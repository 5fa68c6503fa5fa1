/* Stands between a process and its disk: the n-th call that changes a file under a directory is
 * cut off: the process is killed before it or in the middle of it, or there is no space left. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NEVER, KILL, TEAR, FAIL };

static int mode = NEVER, left;
static const char *directory;

/* From now on: what happens to the call after `after` others, of those on files below `where`. */
void cut_arm(int how, int after, const char *where)
{
    mode = how, left = after, directory = where;
}

void cut_disarm(void) { mode = NEVER; }

/* How many calls were still to come; negative when one was cut off. */
int cut_left(void) { return left; }

static int ours(const char *path)
{
    return mode && path && !strncmp(path, directory, strlen(directory));
}

static int ours_fd(int fd)
{
    char link[64], path[PATH_MAX];
    if (!mode)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return ours(path);
}

/* Whether this call is the one; does not come back when the process dies before it. */
static int due(int relevant)
{
    if (!relevant || left-- > 0)
        return 0;
    if (mode == KILL)
        kill(getpid(), SIGKILL);
    return 1; /* a full disk stays full */
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITING(name, offset_type)                                                                 \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset)                        \
    {                                                                                              \
        if (due(ours_fd(fd))) {                                                                    \
            if (mode == FAIL)                                                                      \
                return errno = ENOSPC, -1;                                                         \
            NEXT(name)(fd, data, size / 2, offset);                                                \
            kill(getpid(), SIGKILL);                                                               \
        }                                                                                          \
        return NEXT(name)(fd, data, size, offset);                                                 \
    }

WRITING(pwrite, off_t)
WRITING(pwrite64, off64_t)

#define CHANGING(name, parameters, arguments, relevant)                                            \
    int name parameters                                                                            \
    {                                                                                              \
        if (mode != FAIL && due(relevant))                                                         \
            kill(getpid(), SIGKILL);                                                               \
        return NEXT(name) arguments;                                                               \
    }

CHANGING(fsync, (int fd), (fd), ours_fd(fd))
CHANGING(fdatasync, (int fd), (fd), ours_fd(fd))
CHANGING(ftruncate, (int fd, off_t size), (fd, size), ours_fd(fd))
CHANGING(ftruncate64, (int fd, off64_t size), (fd, size), ours_fd(fd))
CHANGING(rename, (const char *from, const char *to), (from, to), ours(from))
CHANGING(unlink, (const char *path), (path), ours(path))
