/*
 * contrail-k8s-cni: the CNI plugin that a container runtime executes.
 *
 * It decides nothing. It hands the CNI_* environment and stdin to the node's agent over a unix
 * socket and prints what the agent answers; all JSON is the agent's work. A static C program,
 * because it starts once or more for every pod: 0.6 ms against 6 ms for the barest Python.
 *
 *   request   u32 length (big endian, of what follows), "CNI_X=value\0"..., "\0", stdin
 *   reply     u32 length (big endian, of what follows), u8 exit code, bytes for stdout
 *
 * VERSION is answered here, so that a runtime can ask before the agent runs. The socket is the
 * string value of "agent-socket" in the network configuration.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SUPPORTED "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\""
#define DEFAULT_SOCKET "/var/run/cn2/agent.sock"
enum {
	STDIN_MAX = 1 << 20,
	ENV_MAX = 1 << 16,
	REPLY_MAX = 1 << 20,
	CONNECT_TRIES = 20, /* 100 ms apart: an agent that restarts is back within that */
	ANSWER_SECONDS = 150, /* more than the agent's own deadline for ADD */
	UNAVAILABLE = 50,
	TRY_AGAIN_LATER = 11,
	IO_FAILURE = 5,
};

extern char **environ;
static char frame[4 + ENV_MAX + STDIN_MAX + 1], reply[5 + REPLY_MAX];
static char version[16] = "1.0.0", path[sizeof(((struct sockaddr_un *)0)->sun_path)] = DEFAULT_SOCKET;

static int fail(int code, const char *message, const char *details)
{
	printf("{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"%s\",\"details\":\"socket %s: %s\"}\n",
	       version, code, message, path, details);
	return 1;
}

/* The end of the JSON string that starts at p (after its opening quote), or NULL. */
static const char *string_end(const char *p)
{
	for (; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p : NULL;
}

/* Copies the string value of `key` if there is one that fits and needs no unescaping or quoting. */
static void find_string(const char *json, const char *key, char *value, size_t size)
{
	const char *p = json, *end;

	while ((p = strchr(p, '"')) && (end = string_end(p + 1))) {
		int found = (size_t)(end - p - 1) == strlen(key) && !memcmp(p + 1, key, strlen(key));
		p = end + 1;
		end = p + strspn(p, " \t\r\n");
		if (!found || *end != ':')
			continue;
		end += 1 + strspn(end + 1, " \t\r\n");
		size_t length = strcspn(end + 1, "\"\\\n");
		if (*end == '"' && end[1 + length] == '"' && length && length < size) {
			memcpy(value, end + 1, length);
			value[length] = 0;
		}
		return;
	}
}

/* Moves exactly n bytes, or says why not in errno; 0 of end-of-file becomes ECONNRESET. */
static int move(int fd, char *at, size_t n, int sending)
{
	while (n) {
		ssize_t r = sending ? send(fd, at, n, MSG_NOSIGNAL) : recv(fd, at, n, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = ECONNRESET;
		if (r <= 0)
			return -1;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

static int connect_agent(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};

	strcpy(to.sun_path, path);
	for (int left = CONNECT_TRIES;; left--) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		if (!connect(fd, (struct sockaddr *)&to, sizeof to))
			return fd;
		int why = errno;
		close(fd);
		errno = why;
		if (left <= 1 || (why != ENOENT && why != ECONNREFUSED && why != EAGAIN))
			return -1;
		poll(NULL, 0, 100);
	}
}

static void put_length(char *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(n >> (24 - 8 * i));
}

int main(void)
{
	const char *command = getenv("CNI_COMMAND");
	size_t at = 4, stdin_at;

	for (char **e = environ; *e; e++) {
		size_t n = strlen(*e) + 1;
		if (strncmp(*e, "CNI_", 4))
			continue;
		if (at + n + 1 > 4 + ENV_MAX)
			return fail(4, "the CNI_* environment is longer than 64 KiB", "nothing was done");
		memcpy(frame + at, *e, n);
		at += n;
	}
	frame[at++] = 0;
	stdin_at = at;
	for (ssize_t r; (r = read(0, frame + at, stdin_at + STDIN_MAX + 1 - at)) != 0;) {
		if (r < 0 && errno != EINTR)
			return fail(IO_FAILURE, "cannot read the network configuration from stdin", strerror(errno));
		at += r > 0 ? (size_t)r : 0;
		if (at > stdin_at + STDIN_MAX)
			return fail(6, "the network configuration is longer than 1 MiB", "nothing was done");
	}
	frame[at] = 0;
	find_string(frame + stdin_at, "cniVersion", version, sizeof version);
	find_string(frame + stdin_at, "agent-socket", path, sizeof path);
	if (command && !strcmp(command, "VERSION"))
		return printf("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[" SUPPORTED "]}\n") < 0;

	int fd = connect_agent();
	if (fd < 0)
		return fail(command && !strcmp(command, "STATUS") ? UNAVAILABLE : TRY_AGAIN_LATER,
			    "the agent of this node does not answer; it is starting or stopped: "
			    "try again, and see `cn2 status` and the agent's log if it lasts",
			    strerror(errno));
	put_length(frame, (uint32_t)(at - 4));
	if (move(fd, frame, at, 1) || move(fd, reply, 5, 0))
		return fail(TRY_AGAIN_LATER, "the agent of this node closed the connection or took too long: try again",
			    strerror(errno));
	uint32_t n = 0;
	for (int i = 0; i < 4; i++)
		n = n << 8 | (unsigned char)reply[i];
	if (n < 1 || n > REPLY_MAX || move(fd, reply + 5, n - 1, 0))
		return fail(TRY_AGAIN_LATER, "the answer of this node's agent was cut short: try again", strerror(errno));
	if (fwrite(reply + 5, 1, n - 1, stdout) != n - 1 || fflush(stdout))
		return IO_FAILURE;
	return (unsigned char)reply[4];
}
