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

enum { LINE_DEFAULT = 16384, LINE_MAX_SIZE = 1 << 20, HEAD = 40, BATCH = 65536, MAX_FILES = 100 };

/* Shared by all logs: whole lines, and empty whenever log_write or log_end returns. */
static char batch[HEAD + LINE_MAX_SIZE + 1];
static size_t filled;

static uint64_t monotonic_nanos(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void lose(struct log *log, size_t n, int error) {
	log->counters.lost_bytes += n;
	if (!log->reported)
		log_warn("losing output: cannot write %s: %s", log->path, strerror(error));
	log->reported = true;
}

/*
 * Nothing is left of a line that was written in part: the next begins on a
 * line of its own.  How much of what was written stays.
 */
static size_t cut_torn_line(const struct log *log, size_t written) {
	size_t keep = written;
	off_t end = lseek(log->fd, 0, SEEK_END);

	while (keep > 0 && batch[keep - 1] != '\n')
		keep--;
	if (end < (off_t)(written - keep) || ftruncate(log->fd, end - (off_t)(written - keep)) < 0)
		log_warn("cannot cut %s: %s", log->path, strerror(errno));
	return keep;
}

/* PATH.1 is the newest of the old ones; the oldest goes. */
static void rotate(struct log *log) {
	for (unsigned int i = log->max_files - 1; i > 0; i--) {
		cleanup_free char *from = str_format(i == 1 ? "%s" : "%s.%u", log->path, i - 1);
		cleanup_free char *to = str_format("%s.%u", log->path, i);

		if (from != NULL && to != NULL) rename(from, to);
	}
	if (log->max_files == 1) unlink(log->path);
	if (log_reopen(log) != 0) {
		lose(log, 0, errno);
		log->size = 0; /* not again for each line */
	}
}

static void flush(struct log *log) {
	uint64_t begin = monotonic_nanos(), took;
	size_t done = 0;

	while (done < filled) {
		ssize_t n = write(log->fd, batch + done, filled - done);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) {
			int error = errno;

			done = cut_torn_line(log, done);
			lose(log, filled - done, error);
			for (size_t i = done; i < filled; i++)
				log->counters.lines -= batch[i] == '\n';
			break;
		}
		done += (size_t)n;
	}
	if (done == filled) log->reported = false;
	log->counters.bytes += done;
	log->size += done;
	filled = 0;
	took = monotonic_nanos() - begin;
	if (took > log->counters.longest_stall_nanos) log->counters.longest_stall_nanos = took;
}

/* "2026-01-02T03:04:05.123456789Z stdout F "; dates are made once a second only. */
static void put_head(uint8_t number, char tag) {
	static char text[HEAD + 1];
	static time_t second;
	struct timespec now;
	struct tm tm;
	uint32_t nanos;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000000000Z stdout F ", &tm);
	}
	nanos = (uint32_t)now.tv_nsec;
	for (int i = 28; i > 19; i--, nanos /= 10)
		text[i] = (char)('0' + nanos % 10);
	memcpy(text + 34, number == 1 ? "out" : "err", 3);
	text[38] = tag;
	memcpy(batch + filled, text, HEAD);
	filled += HEAD;
}

static void put(const void *data, size_t n) {
	if (n > 0) memcpy(batch + filled, data, n);
	filled += n;
}

static void put_line(struct log *log, struct stream *stream, char tag, const uint8_t *data,
		     size_t n) {
	size_t size = HEAD + stream->line.len + n + 1;

	if (filled > 0 && filled + size > BATCH) flush(log);
	if (log->max_size > 0 && log->size + filled > 0 &&
	    log->size + filled + size > log->max_size) {
		flush(log);
		rotate(log);
	}
	put_head(stream->number, tag);
	put(stream->line.data, stream->line.len);
	put(data, n);
	put("\n", 1);
	log->counters.lines++;
	stream->line.len = 0;
}

void log_write(struct log *log, struct stream *stream, const uint8_t *data, size_t n) {
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
	if (filled > 0) flush(log);
	if (stream->line.len == 0) buf_free(&stream->line);
}

void log_end(struct log *log, struct stream *stream) {
	if (stream->line.len > 0) put_line(log, stream, 'P', NULL, 0);
	if (filled > 0) flush(log);
	buf_free(&stream->line);
}

int log_reopen(struct log *log) {
	int fd =
		open(log->path,
		     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		     0640);
	struct stat status;

	if (fd < 0) return -errno; /* the old file goes on being written */
	close_fd(&log->fd);
	log->fd = fd;
	log->size = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
	log->reported = false;
	return 0;
}

static void set_option(struct log *log, struct str option) {
	struct str key = str_cut(&option, '=');
	cleanup_free char *text = str_copy(option);
	unsigned long value = text == NULL ? 0 : strtoul(text, NULL, 10);

	if (str_is(key, "max_line") && value > 0)
		log->line_size = value > LINE_MAX_SIZE ? LINE_MAX_SIZE : value;
	else if (str_is(key, "max_size"))
		log->max_size = value;
	else if (str_is(key, "max_files") && value > 0)
		log->max_files = value > MAX_FILES ? MAX_FILES : (unsigned int)value;
}

int log_open(struct log **out, const char *uri) {
	struct log *log = calloc(1, sizeof(*log));
	struct str rest = str_of(uri);
	int error;

	if (log == NULL) return -ENOMEM;
	*log = (struct log){.fd = -1, .line_size = LINE_DEFAULT, .max_files = 1};
	log->path = str_copy(str_cut(&rest, '?'));
	while (rest.n > 0)
		set_option(log, str_cut(&rest, '&'));
	if (log->path != NULL) percent_decode(log->path);
	error = log->path == NULL || log->path[0] != '/' ? -EINVAL : log_reopen(log);
	if (error != 0) {
		log_free(log);
		return error;
	}
	*out = log;
	return 0;
}

void log_free(struct log *log) {
	if (log == NULL) return;
	if (log->counters.lost_bytes > 0)
		log_warn("lost %llu bytes of output for %s",
			 (unsigned long long)log->counters.lost_bytes, log->path);
	close_fd(&log->fd);
	free(log->path);
	free(log);
}
