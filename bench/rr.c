/* SPDX-License-Identifier: Apache-2.0
 * TCP request-response: one byte there, one byte back, as often as asked.
 *   rr server ADDRESS PORT            serves one connection, prints "listening" when it is ready
 *   rr client ADDRESS PORT ROUNDS     prints p50 and p99 in nanoseconds
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static int serve(struct sockaddr_in *address)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0), peer;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)address, sizeof(*address)) || listen(fd, 1)) {
		perror("listen");
		return 1;
	}
	puts("listening");
	fflush(stdout);
	peer = accept(fd, NULL, NULL);
	no_delay(peer);
	while (read(peer, &byte, 1) == 1)
		if (write(peer, &byte, 1) != 1)
			break;
	return 0;
}

static int ask(struct sockaddr_in *address, long rounds)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long *taken = calloc(rounds, sizeof(*taken));
	char byte = 'x';

	if (connect(fd, (struct sockaddr *)address, sizeof(*address))) {
		perror("connect");
		return 1;
	}
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

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (argc < 4)
		return 2;
	inet_pton(AF_INET, argv[2], &address.sin_addr);
	address.sin_port = htons(atoi(argv[3]));
	if (!strcmp(argv[1], "server"))
		return serve(&address);
	return argc > 4 ? ask(&address, atol(argv[4])) : 2;
}
