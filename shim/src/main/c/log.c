/*
 * log.c: writes the log file of a container in the form that CRI demands:
 *
 *   2026-01-02T03:04:05.123456789Z stdout F a whole line
 *   2026-01-02T03:04:05.123456790Z stderr P a part of one, the rest follows
 *
 * What cannot be written is lost and counted, and never held back: a full disk
 * must not stop the container.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_DEFAULT = 16384, LINE_MAX_SIZE = 1 << 20, STAMP = 30, BATCH = 65536 };

/* Shared by all logs: it is empty whenever log_write or log_end returns. */
static char batch[BATCH];
static size_t filled;

static uint64_t
monotonic_nanos(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
lose(struct log *log, size_t n, int error)
{
	log->counters.lost += n;
	if (!log->reported)
		log_warn("losing output: cannot write %s: %s", log->path, strerror(error));
	log->reported = true;
}

/* Of a line that was written in part nothing is left, so that the next begins on a line of its own.
 */
static void
cut_torn_line(const struct log *log, size_t written)
{
	size_t keep = written;
	off_t end = lseek(log->fd, 0, SEEK_END);

	while (keep > 0 && batch[keep - 1] != '\n')
		keep--;
	if (end >= (off_t)(written - keep) && ftruncate(log->fd, end - (off_t)(written - keep)) < 0)
		log_warn("cannot cut %s: %s", log->path, strerror(errno));
}

static void
flush(struct log *log)
{
	uint64_t begin = monotonic_nanos(), took;
	size_t done = 0;

	while (done < filled) {
		ssize_t n = log->fd < 0 ? -1 : write(log->fd, batch + done, filled - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (done > 0)
				cut_torn_line(log, done);
			lose(log, filled - done, log->fd < 0 ? EBADF : errno);
			break;
		}
		done += (size_t)n;
	}
	if (done == filled)
		log->reported = false;
	log->counters.bytes += done;
	filled = 0;
	took = monotonic_nanos() - begin;
	if (took > log->counters.stall)
		log->counters.stall = took;
}

static void
put(struct log *log, const void *data, size_t n)
{
	while (n > BATCH - filled) {
		size_t part = BATCH - filled;

		memcpy(batch + filled, data, part);
		filled = BATCH;
		flush(log);
		data = (const char *)data + part;
		n -= part;
	}
	memcpy(batch + filled, data, n);
	filled += n;
}

/* Dates are made once a second: strftime for each line would cost more than all the rest. */
static void
put_stamp(struct log *log)
{
	static char text[STAMP + 1] = "0000-00-00T00:00:00.000000000Z";
	static time_t second;
	struct timespec now;
	struct tm tm;
	long nanos;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &tm);
		strftime(text, 20, "%Y-%m-%dT%H:%M:%S", &tm);
		text[19] = '.';
	}
	nanos = now.tv_nsec;
	for (int i = 28; i > 19; i--, nanos /= 10)
		text[i] = (char)('0' + nanos % 10);
	put(log, text, STAMP);
}

static void
put_line(struct log *log, struct stream *stream, char tag, const uint8_t *data, size_t n)
{
	static char middle[] = " stdout F ";

	memcpy(middle + 1, stream->number == 1 ? "stdout" : "stderr", 6);
	middle[8] = tag;
	if (BATCH - filled < STAMP + sizeof(middle) + stream->line.len + n)
		flush(log); /* whole lines, if they fit */
	put_stamp(log);
	put(log, middle, sizeof(middle) - 1);
	put(log, stream->line.data == NULL ? (const void *)"" : stream->line.data,
	    stream->line.len);
	put(log, data, n);
	put(log, "\n", 1);
	log->counters.lines++;
	stream->line.len = 0;
}

void
log_write(struct log *log, struct stream *stream, const uint8_t *data, size_t n)
{
	while (n > 0) {
		const uint8_t *end = memchr(data, '\n', n);
		size_t line = end == NULL ? n : (size_t)(end - data);

		while (stream->line.len + line > log->line_size) {
			size_t part = log->line_size - stream->line.len;

			put_line(log, stream, 'P', data, part);
			data += part;
			n -= part;
			line -= part;
		}
		if (end == NULL) {
			buf_put(&stream->line, data, n);
			break;
		}
		put_line(log, stream, 'F', data, line);
		data += line + 1;
		n -= line + 1;
	}
	if (filled > 0)
		flush(log);
	if (stream->line.len == 0)
		buf_free(&stream->line);
}

void
log_end(struct log *log, struct stream *stream)
{
	if (stream->line.len > 0)
		put_line(log, stream, 'P', NULL, 0);
	if (filled > 0)
		flush(log);
	buf_free(&stream->line);
}

int
log_reopen(struct log *log)
{
	int fd =
		open(log->path,
		     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		     0640);

	if (fd < 0)
		return -errno; /* the old file goes on being written */
	close_fd(&log->fd);
	log->fd = fd;
	log->reported = false;
	return 0;
}

struct log *
log_open(struct str uri, int *error)
{
	struct str rest = {uri.p + 10, uri.n - 10}; /* "cri-log://" */
	const char *query = memchr(rest.p, '?', rest.n);
	struct log *log = calloc(1, sizeof(*log));
	unsigned long size = 0;

	*error = -ENOMEM;
	if (log == NULL)
		return NULL;
	log->fd = -1;
	if (query != NULL) {
		cleanup_free char *text =
			str_copy((struct str){query + 1, rest.n - (size_t)(query + 1 - rest.p)});

		if (text != NULL && strncmp(text, "max_line=", 9) == 0)
			size = strtoul(text + 9, NULL, 10);
		rest.n = (size_t)(query - rest.p);
	}
	log->line_size = size == 0 ? LINE_DEFAULT : size > LINE_MAX_SIZE ? LINE_MAX_SIZE : size;
	log->path = str_copy(rest);
	*error = log->path == NULL || log->path[0] != '/' ? -EINVAL : log_reopen(log);
	if (*error != 0) {
		log_free(log);
		return NULL;
	}
	return log;
}

void
log_free(struct log *log)
{
	if (log == NULL)
		return;
	if (log->counters.lost > 0)
		log_warn("lost %llu bytes of output for %s", (unsigned long long)log->counters.lost,
			 log->path);
	close_fd(&log->fd);
	free(log->path);
	free(log);
}
