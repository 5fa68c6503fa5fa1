/* SPDX-License-Identifier: Apache-2.0
 * Executes a CNI plugin as a container runtime does, many times, some at once, and times each.
 *   calls PLUGIN COMMAND CONFIGURATION AT_ONCE   one call for each line "NAME UID NAMESPACE" of stdin
 * Prints the microseconds of each call, then those of the whole. What a plugin prints goes to
 * stderr when it fails.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096 };

struct call {
	pid_t pid;
	double began, taken;
	int output;
};

static struct call calls[MOST];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void start(struct call *call, char **argv, const char *name, const char *uid, const char *ns)
{
	char command[32], container[128], netns[272], arguments[512], path[] = "CNI_PATH=/usr/lib/cni";
	char ifname[] = "CNI_IFNAME=eth0", search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = { command, container, netns, arguments, path, ifname, search, NULL };
	char *plugin[] = { argv[1], NULL };
	posix_spawn_file_actions_t files;
	char plain[64];
	int length = 0;

	for (const char *c = uid; *c && length < 63; c++)
		if (*c != '-')
			plain[length++] = *c;
	plain[length] = 0;
	snprintf(command, sizeof(command), "CNI_COMMAND=%s", argv[2]);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=%s", plain);
	snprintf(netns, sizeof(netns), "CNI_NETNS=%s", ns);
	snprintf(arguments, sizeof(arguments),
		 "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=%s;"
		 "K8S_POD_UID=%s;K8S_POD_INFRA_CONTAINER_ID=%s", name, uid, plain);
	call->output = memfd_create("output", MFD_CLOEXEC);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, argv[3], O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, call->output, 1);
	posix_spawn_file_actions_adddup2(&files, call->output, 2);
	call->began = now();
	if (posix_spawn(&call->pid, argv[1], &files, NULL, plugin, environment)) {
		perror(argv[1]);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&files);
}

static void say(int output)
{
	char text[2048];
	ssize_t length = pread(output, text, sizeof(text) - 1, 0);

	if (length > 0)
		fprintf(stderr, "%.*s\n", (int)length, text);
}

/* Waits for one call; whether it went well. */
static int finish(int count)
{
	int status;
	pid_t pid = wait(&status);

	for (int i = 0; i < count; i++) {
		if (calls[i].pid != pid)
			continue;
		calls[i].taken = now() - calls[i].began;
		if (status)
			say(calls[i].output);
		close(calls[i].output);
	}
	return status == 0;
}

int main(int argc, char **argv)
{
	char name[256], uid[64], ns[256];
	int count = 0, running = 0, well = 1, at_once;
	double began = now();

	if (argc < 5)
		return 2;
	at_once = atoi(argv[4]);
	while (count < MOST && scanf("%255s %63s %255s", name, uid, ns) == 3) {
		if (running == at_once) {
			well &= finish(count);
			running--;
		}
		start(&calls[count++], argv, name, uid, ns);
		running++;
	}
	for (; running; running--)
		well &= finish(count);
	for (int i = 0; i < count; i++)
		printf("%.1f\n", calls[i].taken);
	printf("%.1f\n", now() - began);
	return !well;
}
