/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "init.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

/* The process of a container that names no command: it waits until it is told to end. */
static _Noreturn void wait_for_the_end(void)
{
	sigset_t none;
	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* what came before the handlers comes now */
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	/* Whatever the caller left open is not ours: a pipe kept would keep its reader waiting. */
	close_range(3, ~0U, 0);
	if (argc > 1 && !strcmp(argv[1], "sandbox"))
		return sandbox(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "pause"))
		wait_for_the_end();
	fprintf(stderr, "usage: cn2-init sandbox POD-DIR NETNS HOSTNAME [cgroup:PROCS...] [MOUNT-POINT...]\n"
			"       cn2-init pause\n");
	return 2;
}
