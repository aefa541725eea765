/*
 * base.h: what every part of the shim uses: descriptors and memory that
 * release themselves, text, byte buffers, lists, small files, the log, and the
 * one event loop with its timers and channels.
 *
 * A function that can fail returns 0 (or a descriptor) or a negative errno.
 */
#ifndef GANTRY_BASE_H
#define GANTRY_BASE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define cleanup_close __attribute__((cleanup(close_fd)))
#define cleanup_free __attribute__((cleanup(free_pointer)))
#define cleanup_buf __attribute__((cleanup(buf_free)))
#define printf_like(at, args) __attribute__((format(printf, at, args)))

#define owner_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define count_of(array) (sizeof(array) / sizeof(*(array)))

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
/* What is before SEPARATOR, or all of it; S keeps what is after. */
struct str str_cut(struct str *s, char separator);
printf_like(1, 2) char *str_format(const char *format, ...);
/* If TEXT begins with PREFIX what follows it, else NULL. */
const char *after(const char *text, const char *prefix);
/* Decode %XX in place. */
void percent_decode(char *text);

/* A growing buffer. One that could not grow is marked and takes no more. */
struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed;
};

void buf_free(struct buf *b);
uint8_t *buf_room(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *data, size_t n);
/* Forget the first N bytes; a large empty buffer gives its memory back. */
void buf_drop(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);
/* Big endian. */
uint32_t get_u32(const uint8_t *from);
void put_u32(uint8_t *to, uint32_t value);

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
int read_fd(int fd, struct buf *out, size_t limit);
/* A file of no more than 16 MiB as a C string; NULL, with errno, if it cannot be read. */
char *read_text(int dirfd, const char *name);
int write_all(int fd, struct str data);
int write_text(const char *path, const char *text);
/* The file appears whole or not at all; with SYNC it is on disk when this returns. */
int publish_file(int dirfd, const char *name, struct str data, bool sync);
int memory_file(const char *name, struct str data);

int64_t now_ms(void); /* monotonic */

/* A line in the form of logrus on descriptor 2, which is never waited for. */
printf_like(2, 3) void log_line(const char *level, const char *format, ...);
#define log_warn(...) log_line("warning", __VA_ARGS__)
#define log_error(...) log_line("error", __VA_ARGS__)

/* ---- loop.c ---- */
struct watch {
	int fd;
	uint32_t wanted; /* nothing: it is not in the set */
	void (*ready)(struct watch *watch, uint32_t events);
};

struct timer {
	struct list node;
	int64_t at;
	void (*fire)(struct timer *timer);
};

int loop_open(void);
/* What to wait for from now on. */
int loop_want(struct watch *watch, uint32_t events);
/* Forget and close it. */
void loop_close(struct watch *watch);
void timer_start(struct timer *timer, int ms);
void timer_stop(struct timer *timer);
/* Run until loop_end is called. */
void loop_run(void);
void loop_end(void);

/* ---- channel.c: a descriptor that does not block, with what came and what is to be sent ---- */
struct channel {
	struct watch watch;
	struct buf in, out;
	bool paused; /* for now nothing is read */
	bool ending; /* to be closed when all is sent */
	/* IN has grown; on an error the channel is closed. NULL: it is only written to. */
	int (*take)(struct channel *channel);
	/* OUT has become empty. */
	void (*sent)(struct channel *channel);
	/* The other side is gone, or all was sent. It has to close the channel. */
	void (*closed)(struct channel *channel);
};

int channel_open(struct channel *channel, int fd);
/* OUT has grown: sends what can be sent now; errors show later. */
void channel_send(struct channel *channel);
/* After a change of PAUSED. */
void channel_update(struct channel *channel);
/* All was put into it: it is closed, at once or when that is sent. */
void channel_end(struct channel *channel);
/* Frees everything and closes; may be called from all of its own callbacks. */
void channel_close(struct channel *channel);
/* Make TO, which has its callbacks, what FROM was. */
int channel_move(struct channel *to, struct channel *from);

#endif
