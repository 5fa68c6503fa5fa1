/* SPDX-License-Identifier: Apache-2.0
 *
 * Container output in the CRI log format: `<RFC 3339 time> <stream> <F|P> <line>`. A line longer
 * than the buffer, or output that ends without a newline, is written in parts marked P.
 */
#define _GNU_SOURCE
#include "init.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROTATE_AT (10 << 20) /* bytes, and */
#define OLDER_FILES 4        /* FILE.1 is the newest of them: kubelet's 10 MiB and 5 files */

void stamp(char out[STAMP_SIZE])
{
	struct timespec now;
	struct tm utc;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t n = strftime(out, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + n, STAMP_SIZE - n, ".%09ldZ", now.tv_nsec);
}

int log_open(struct log_file *file, int dir, const char *path)
{
	struct stat st;
	file->dir = dir;
	if (path != file->path)
		snprintf(file->path, sizeof file->path, "%s", path);
	file->fd = openat(dir, file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return -1;
	file->size = fstat(file->fd, &st) ? 0 : st.st_size;
	return 0;
}

void log_close(struct log_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static void rotate(struct log_file *file)
{
	char newer[sizeof file->path + 2], older[sizeof file->path + 2];
	for (int i = OLDER_FILES - 1; i >= 0; i--) {
		snprintf(newer, sizeof newer, i ? "%s.%d" : "%s", file->path, i);
		snprintf(older, sizeof older, "%s.%d", file->path, i + 1);
		renameat(file->dir, newer, file->dir, older);
	}
	log_close(file);
	log_open(file, file->dir, file->path);
}

static void write_line(struct log_stream *stream, char tag)
{
	char head[STAMP_SIZE + 16];
	stamp(head);
	size_t n = strlen(head);
	n += (size_t)snprintf(head + n, sizeof head - n, " %s %c ", stream->name, tag);
	struct iovec parts[] = {{head, n}, {stream->line, stream->len}, {"\n", 1}};
	if (stream->file->fd < 0) /* a full disk had no room for the next file, maybe it has now */
		log_open(stream->file, stream->file->dir, stream->file->path);
	ssize_t written = stream->file->fd < 0 ? -1 : writev(stream->file->fd, parts, 3);
	stream->len = 0;
	if (written > 0 && (stream->file->size += written) >= ROTATE_AT)
		rotate(stream->file);
}

void log_bytes(struct log_stream *stream, const char *data, size_t n)
{
	while (n) {
		const char *newline = memchr(data, '\n', n);
		size_t upto = newline ? (size_t)(newline - data) : n;
		size_t room = sizeof stream->line - stream->len;
		size_t take = upto < room ? upto : room;
		memcpy(stream->line + stream->len, data, take);
		stream->len += take;
		data += take;
		n -= take;
		if (newline && take == upto) {
			write_line(stream, 'F');
			data++;
			n--;
		} else if (stream->len == sizeof stream->line) {
			write_line(stream, 'P');
		}
	}
}

/* The output ended: what has no newline is written as it is. */
void log_flush(struct log_stream *stream)
{
	if (stream->len)
		write_line(stream, 'P');
}
