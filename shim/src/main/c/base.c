/* base.c: see base.h. */
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An empty buffer of more than this gives its memory back. */
enum { BUF_KEEP = 4096 };

void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

struct str
str_of(const char *text)
{
	return (struct str){text, text == NULL ? 0 : strlen(text)};
}

bool
str_is(struct str s, const char *text)
{
	return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

char *
str_copy(struct str s)
{
	char *copy;

	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return NULL;
	copy = malloc(s.n + 1);
	if (copy == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

char *
str_format(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 256 : b->cap;
	uint8_t *data;

	if (b->failed)
		return NULL;
	while (cap - b->len < n)
		cap *= 2;
	if (cap != b->cap) {
		data = realloc(b->data, cap);
		if (data == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

void
buf_put(struct buf *b, const void *data, size_t n)
{
	uint8_t *room = buf_room(b, n);

	if (room == NULL || n == 0)
		return;
	memcpy(room, data, n);
	b->len += n;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return;
	}
	buf_put(b, text, (size_t)n);
	free(text);
}

void
buf_drop(struct buf *b, size_t n)
{
	b->len -= n;
	if (b->len > 0)
		memmove(b->data, b->data + n, b->len);
	else if (b->cap > BUF_KEEP)
		buf_free(b);
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){(const char *)b->data, b->len};
}

void
list_init(struct list *head)
{
	head->next = head->prev = head;
}

bool
list_empty(const struct list *head)
{
	return head->next == head;
}

void
list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

void
list_remove(struct list *item)
{
	if (item->next == NULL)
		return;
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

int
read_fd(int fd, struct buf *out, size_t limit)
{
	for (;;) {
		uint8_t *room = buf_room(out, 4096);
		ssize_t n;

		if (room == NULL)
			return -ENOMEM;
		n = read(fd, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len > limit)
			return -EFBIG;
	}
}

int
read_file(int dirfd, const char *name, struct buf *out, size_t limit)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_fd(fd, out, limit);
}

int
write_all(int fd, const void *data, size_t n)
{
	const char *rest = data;

	while (n > 0) {
		ssize_t done = write(fd, rest, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		rest += done;
		n -= (size_t)done;
	}
	return 0;
}

int
write_some(int fd, struct buf *b)
{
	while (b->len > 0) {
		ssize_t n = write(fd, b->data, b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf_drop(b, (size_t)n);
	}
	return 0;
}

int
write_file(int dirfd, const char *name, const void *data, size_t n, int flags)
{
	cleanup_close int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | flags, 0600);

	return fd < 0 ? -errno : write_all(fd, data, n);
}

int
publish_file(int dirfd, const char *name, struct str data, bool sync)
{
	cleanup_free char *temporary = str_format(".%s.tmp", name);
	cleanup_close int fd = -1;
	int error;

	if (temporary == NULL)
		return -ENOMEM;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, data.p, data.n);
	if (error == 0 && ((sync && fsync(fd) < 0) || renameat(dirfd, temporary, dirfd, name) < 0))
		error = -errno;
	if (error != 0) {
		unlinkat(dirfd, temporary, 0);
		return error;
	}
	return sync && fsync(dirfd) < 0 ? -errno : 0;
}

int
memory_file(const char *name, struct str data)
{
	int fd = memfd_create(name, MFD_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, data.p, data.n);
	if (error != 0) {
		close(fd);
		return error;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

struct stamp
now_stamp(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct stamp){t.tv_sec, (int32_t)t.tv_nsec};
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
format_stamp(struct stamp stamp, char out[static 80])
{
	time_t seconds = stamp.seconds;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(out, 80, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, stamp.nanos);
}

bool
parse_stamp(const char *text, struct stamp *out)
{
	struct tm tm = {0};
	int n = 0, nanos = 0, digits = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) < 6)
		return false;
	text += n;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9' && digits < 9; text++, digits++)
			nanos = nanos * 10 + (*text - '0');
	for (; digits < 9; digits++)
		nanos *= 10;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = (struct stamp){timegm(&tm), nanos};
	return *text == 'Z';
}

void
log_line(const char *level, const char *format, ...)
{
	char line[1024], stamp[80];
	va_list args;
	int head, n;

	format_stamp(now_stamp(), stamp);
	head = snprintf(line, sizeof(line), "time=\"%s\" level=%s msg=\"", stamp, level);
	va_start(args, format);
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 3, format, args);
	va_end(args);
	if (n < 0)
		return;
	n = head + n < (int)sizeof(line) - 4 ? head + n : (int)sizeof(line) - 4;
	for (int i = head; i < n; i++)
		if (line[i] == '"' || (line[i] >= 0 && line[i] < ' '))
			line[i] = '\'';
	memcpy(line + n, "\"\n", 2);
	if (write(STDERR_FILENO, line, (size_t)n + 2) < 0)
		return; /* nobody reads, and there is nobody else to tell */
}
