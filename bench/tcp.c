/* SPDX-License-Identifier: Apache-2.0
 * TCP between two ends: one byte there, one byte back, as often as asked; and a stream.
 *   tcp echo ADDRESS PORT             answers one connection, prints "listening" when it is ready
 *   tcp ask ADDRESS PORT ROUNDS       prints p50 and p99 in nanoseconds
 *   tcp drain ADDRESS PORT            takes one stream; "listening", then bytes per second
 *   tcp pour ADDRESS PORT MILLISECONDS   sends for so long
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char piece[1 << 17];

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* The first connection to an address, or -1. */
static int served(struct sockaddr_in *address)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)address, sizeof(*address)) || listen(fd, 1)) {
		perror("listen");
		return -1;
	}
	puts("listening");
	fflush(stdout);
	return accept(fd, NULL, NULL);
}

static int connected(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!connect(fd, (struct sockaddr *)address, sizeof(*address)))
		return fd;
	perror("connect");
	return -1;
}

static int echo(struct sockaddr_in *address)
{
	int peer = served(address);
	char byte;

	if (peer < 0)
		return 1;
	no_delay(peer);
	while (read(peer, &byte, 1) == 1)
		if (write(peer, &byte, 1) != 1)
			break;
	return 0;
}

static int ask(struct sockaddr_in *address, long rounds)
{
	int fd = connected(address);
	long *taken = calloc(rounds, sizeof(*taken));
	char byte = 'x';

	if (fd < 0)
		return 1;
	no_delay(fd);
	for (long i = 0; i < rounds; i++) {
		long began = now();

		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) {
			perror("exchange");
			return 1;
		}
		taken[i] = now() - began;
	}
	qsort(taken, rounds, sizeof(*taken), by_size);
	printf("%ld %ld\n", taken[rounds / 2], taken[rounds * 99 / 100]);
	return 0;
}

static int drain(struct sockaddr_in *address)
{
	int peer = served(address);
	long began = now(), total = 0;
	ssize_t length;

	if (peer < 0)
		return 1;
	while ((length = read(peer, piece, sizeof(piece))) > 0)
		total += length;
	printf("%.0f\n", total * 1e9 / (now() - began));
	return 0;
}

static int pour(struct sockaddr_in *address, long milliseconds)
{
	int fd = connected(address);
	long end = now() + milliseconds * 1000000L;

	if (fd < 0)
		return 1;
	while (now() < end)
		if (write(fd, piece, sizeof(piece)) < 0) {
			perror("write");
			return 1;
		}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (argc < 4)
		return 2;
	inet_pton(AF_INET, argv[2], &address.sin_addr);
	address.sin_port = htons(atoi(argv[3]));
	if (!strcmp(argv[1], "echo"))
		return echo(&address);
	if (!strcmp(argv[1], "drain"))
		return drain(&address);
	if (argc < 5)
		return 2;
	return strcmp(argv[1], "ask") ? pour(&address, atol(argv[4])) : ask(&address, atol(argv[4]));
}
