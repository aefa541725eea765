/*
 * base.h: what every part of the shim uses: descriptors and memory that
 * release themselves, byte buffers, lists, small files, the log, and the one
 * event loop.
 *
 * A function that can fail returns 0 (or a descriptor) or a negative errno.
 */
#ifndef GANTRY_BASE_H
#define GANTRY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define cleanup_close __attribute__((cleanup(close_fd)))
#define cleanup_free __attribute__((cleanup(free_pointer)))
#define cleanup_buf __attribute__((cleanup(buf_free)))
#define printf_like(at, args) __attribute__((format(printf, at, args)))

#define owner_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

void close_fd(int *fd);
void free_pointer(void *pointer);

/* Bytes of somebody else's, not terminated. */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){literal, sizeof(literal) - 1})

struct str str_of(const char *text);
bool str_is(struct str s, const char *text);
/* A copy as a C string; NULL without memory, or if there is a NUL inside. */
char *str_copy(struct str s);
printf_like(1, 2) char *str_format(const char *format, ...);

/* A growing buffer. One that could not grow is marked and takes no more. */
struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed;
};

void buf_free(struct buf *b);
uint8_t *buf_room(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *data, size_t n);
printf_like(2, 3) void buf_printf(struct buf *b, const char *format, ...);
/* Forget the first N bytes; a large empty buffer gives its memory back. */
void buf_drop(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);

struct list {
	struct list *next, *prev;
};

#define LIST_HEAD(name) struct list name = {&name, &name}
#define list_each(item, head, type, member)                                                        \
	for (type *item = owner_of((head)->next, type, member),                                    \
		  *item##_next = owner_of(item->member.next, type, member);                        \
	     &item->member != (head);                                                              \
	     item = item##_next, item##_next = owner_of(item->member.next, type, member))

void list_init(struct list *head);
bool list_empty(const struct list *head);
void list_append(struct list *head, struct list *item);
/* An item that is in no list may be removed too. */
void list_remove(struct list *item);

/* Files. Names are relative to DIRFD, or absolute with AT_FDCWD. */
int read_file(int dirfd, const char *name, struct buf *out, size_t limit);
int read_fd(int fd, struct buf *out, size_t limit);
int write_all(int fd, const void *data, size_t n);
/* What a descriptor that does not block takes of it; 0 when all is written, else -EAGAIN. */
int write_some(int fd, struct buf *b);
int write_file(int dirfd, const char *name, const void *data, size_t n, int flags);
/* The file appears whole or not at all; with SYNC it is on disk when this returns. */
int publish_file(int dirfd, const char *name, struct str data, bool sync);
int memory_file(const char *name, struct str data);

struct stamp {
	int64_t seconds;
	int32_t nanos;
};

struct stamp now_stamp(void);
int64_t now_ms(void); /* monotonic */
void format_stamp(struct stamp stamp, char out[static 80]);
bool parse_stamp(const char *text, struct stamp *out);

/* A line in the form of logrus on descriptor 2, which is never waited for. */
printf_like(2, 3) void log_line(const char *level, const char *format, ...);
#define log_warn(...) log_line("warning", __VA_ARGS__)
#define log_error(...) log_line("error", __VA_ARGS__)

/* The loop. */
struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t events);
};

struct timer {
	struct list node;
	int64_t at;
	void (*fire)(struct timer *timer);
};

int loop_open(void);
int loop_add(struct watch *watch, uint32_t events);
void loop_change(struct watch *watch, uint32_t events);
/* Forget it for a while. */
void loop_remove(struct watch *watch);
/* Forget and close it. */
void loop_close(struct watch *watch);
void timer_start(struct timer *timer, int ms);
void timer_stop(struct timer *timer);
/* Run until loop_end is called. */
void loop_run(void);
void loop_end(void);

#endif
