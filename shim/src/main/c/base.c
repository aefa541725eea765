/* base.c: see base.h. */
#include "base.h"

#include <sys/mman.h>

/* An empty buffer of more than this gives its memory back. */
enum { BUF_KEEP = 4096, MAX_TEXT = 16 << 20 };

void close_fd(int *fd) {
	if (*fd >= 0) close(*fd);
	*fd = -1;
}

void free_pointer(void *pointer) {
	free(*(void **)pointer);
}

struct str str_of(const char *text) {
	return (struct str){text, text == NULL ? 0 : strlen(text)};
}

bool str_is(struct str s, const char *text) {
	return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

char *str_copy(struct str s) {
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) return NULL;
	return strndup(s.n == 0 ? "" : s.p, s.n);
}

struct str str_cut(struct str *s, char separator) {
	const char *end = s->n == 0 ? NULL : memchr(s->p, separator, s->n);
	struct str part = {s->p, end == NULL ? s->n : (size_t)(end - s->p)};
	size_t used = part.n + (end != NULL);

	*s = (struct str){used == 0 ? s->p : s->p + used, s->n - used};
	return part;
}

char *str_format(const char *format, ...) {
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

const char *after(const char *text, const char *prefix) {
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

void percent_decode(char *text) {
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		char hex[3] = "", *end;
		long c;

		memccpy(hex, *from == '%' ? from + 1 : "", '\0', 2);
		c = strtol(hex, &end, 16);
		*to++ = end == hex + 2 && c > 0 ? (char)c : *from;
		from += end == hex + 2 && c > 0 ? 2 : 0;
	}
	*to = '\0';
}

void buf_free(struct buf *b) {
	free(b->data);
	*b = (struct buf){0};
}

uint8_t *buf_room(struct buf *b, size_t n) {
	size_t cap = b->cap == 0 ? 256 : b->cap;
	uint8_t *data;

	if (b->failed) return NULL;
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

void buf_put(struct buf *b, const void *data, size_t n) {
	uint8_t *room = n == 0 ? NULL : buf_room(b, n);

	if (room == NULL) return;
	memcpy(room, data, n);
	b->len += n;
}

void buf_drop(struct buf *b, size_t n) {
	b->len -= n;
	if (b->len > 0)
		memmove(b->data, b->data + n, b->len);
	else if (b->cap > BUF_KEEP)
		buf_free(b);
}

struct str buf_str(const struct buf *b) {
	return (struct str){(const char *)b->data, b->len};
}

uint32_t get_u32(const uint8_t *from) {
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

void put_u32(uint8_t *to, uint32_t value) {
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

void list_init(struct list *head) {
	head->next = head->prev = head;
}

bool list_empty(const struct list *head) {
	return head->next == head;
}

void list_append(struct list *head, struct list *item) {
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

void list_remove(struct list *item) {
	if (item->next == NULL) return;
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

int read_fd(int fd, struct buf *out, size_t limit) {
	while (out->len <= limit) {
		uint8_t *room = buf_room(out, 2048);
		ssize_t n = room == NULL ? -1 : read(fd, room, out->cap - out->len);

		if (room == NULL) return -ENOMEM;
		if (n == 0) return 0;
		if (n < 0 && errno != EINTR) return -errno;
		out->len += n < 0 ? 0 : (size_t)n;
	}
	return -EFBIG;
}

char *read_text(int dirfd, const char *name) {
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct buf text = {0};
	int error = fd < 0 ? -errno : read_fd(fd, &text, MAX_TEXT);

	buf_put(&text, "", 1);
	if (error == 0 && !text.failed) return (char *)text.data;
	buf_free(&text);
	errno = error == 0 ? ENOMEM : -error;
	return NULL;
}

int write_all(int fd, struct str data) {
	while (data.n > 0) {
		ssize_t done = write(fd, data.p, data.n);

		if (done < 0 && errno != EINTR) return -errno;
		data.p += done < 0 ? 0 : done;
		data.n -= done < 0 ? 0 : (size_t)done;
	}
	return 0;
}

int write_text(const char *path, const char *text) {
	cleanup_close int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_all(fd, str_of(text));
}

int publish_file(int dirfd, const char *name, struct str data, bool sync) {
	cleanup_free char *temporary = str_format(".%s.tmp", name);
	cleanup_close int fd = -1;
	int error;

	if (temporary == NULL) return -ENOMEM;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) return -errno;
	error = write_all(fd, data);
	if (error == 0 && ((sync && fsync(fd) < 0) || renameat(dirfd, temporary, dirfd, name) < 0))
		error = -errno;
	if (error != 0) {
		unlinkat(dirfd, temporary, 0);
		return error;
	}
	return sync && fsync(dirfd) < 0 ? -errno : 0;
}

int memory_file(const char *name, struct str data) {
	int fd = memfd_create(name, MFD_CLOEXEC), error = fd < 0 ? -errno : write_all(fd, data);

	if (error == 0 && lseek(fd, 0, SEEK_SET) == 0) return fd;
	close_fd(&fd);
	return error;
}

int64_t now_ms(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void log_line(const char *level, const char *format, ...) {
	time_t now = time(NULL);
	char line[1024];
	struct tm tm;
	va_list args;
	size_t head, n;

	gmtime_r(&now, &tm);
	head = strftime(line, 64, "time=\"%Y-%m-%dT%H:%M:%SZ\" level=", &tm);
	head += (size_t)sprintf(line + head, "%.16s msg=\"", level);
	va_start(args, format);
	vsnprintf(line + head, sizeof(line) - head - 3, format, args);
	va_end(args);
	n = strlen(line);
	for (size_t i = head; i < n; i++)
		if (line[i] == '"' || (line[i] >= 0 && line[i] < ' ')) line[i] = '\'';
	memcpy(line + n, "\"\n", 2);
	if (write(STDERR_FILENO, line, n + 2) < 0)
		return; /* nobody reads, and there is nobody else to tell */
}
