/*
 * attach.c: lets clients see and feed the streams of a process.
 *
 * A client calls Attach on a connection to the task socket; when that is
 * answered the connection carries frames, a u8 stream and a u32 length (big
 * endian) before the bytes: 1 stdout, 2 stderr from us, 0 stdin to us.  A
 * frame without bytes ends its stream.
 *
 * A client that is 1 MiB behind is closed where there is a log: it must stall
 * neither that nor the process.  Where there is none (an exec) the client is
 * the only reader, and the process waits for it.
 */
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 5, MAX_BEHIND = 1 << 20, SLOW = 65536, MAX_INPUT = 1 << 20 };

struct attached {
	struct list node;
	struct watch watch;
	struct io *io;
	struct buf in, out;
	bool ending, paused;
	bool fed; /* it has sent input */
};

static bool
is_slow(const struct io *io)
{
	list_each(a, &io->attached, struct attached, node) if (a->out.len > SLOW) return true;
	return false;
}

static void
resume_streams(struct io *io)
{
	if (io->log != NULL || io->out >= 0 || is_slow(io))
		return;
	stream_resume(&io->streams[0]);
	stream_resume(&io->streams[1]);
}

static void
detach(struct attached *a)
{
	struct io *io = a->io;
	bool once = io != NULL && a->fed && strstr(io->uri[0], "once") != NULL;

	list_remove(&a->node);
	loop_close(&a->watch);
	buf_free(&a->in);
	buf_free(&a->out);
	free(a);
	if (io == NULL)
		return;
	if (once)
		io_close_input(io);
	resume_streams(io);
}

static int
send_out(struct attached *a)
{
	int error = write_some(a->watch.fd, &a->out);

	if (error == 0 && a->ending)
		return -EPIPE;
	if (error == -EAGAIN)
		error = 0;
	if (error == 0)
		loop_change(&a->watch, (a->paused ? 0u : (uint32_t)EPOLLIN) |
					       (a->out.len > 0 ? (uint32_t)EPOLLOUT : 0u));
	return error;
}

static int
take_input(struct attached *a)
{
	while (a->in.len >= HEADER) {
		const uint8_t *h = a->in.data;
		uint32_t n =
			(uint32_t)h[1] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 8 | h[4];

		if (h[0] != 0 || n > MAX_INPUT)
			return -EBADMSG;
		if (a->in.len < HEADER + n)
			return 0;
		a->fed = true;
		if (n == 0)
			io_close_input(a->io);
		else if (io_type(a->io, h + HEADER, n) == -EAGAIN)
			a->paused = true;
		buf_drop(&a->in, HEADER + n);
	}
	return 0;
}

static int
receive(struct attached *a)
{
	uint8_t *room = buf_room(&a->in, 4096);
	ssize_t n = room == NULL ? 0 : recv(a->watch.fd, room, 4096, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	a->in.len += (size_t)n;
	return a->io == NULL ? 0 : take_input(a);
}

static void
attached_ready(struct watch *watch, uint32_t events)
{
	struct attached *a = owner_of(watch, struct attached, watch);
	int error = 0;

	if (events & EPOLLIN)
		error = receive(a);
	else if (events & (EPOLLHUP | EPOLLERR))
		error = -EPIPE;
	if (error == 0)
		error = send_out(a);
	if (error != 0)
		detach(a);
	else if (events & EPOLLOUT && a->io != NULL)
		resume_streams(a->io);
}

void
attached_write(struct io *io, uint8_t stream, const void *data, size_t n)
{
	uint8_t head[HEADER] = {stream, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				(uint8_t)n};

	list_each(a, &io->attached, struct attached, node)
	{
		buf_put(&a->out, head, sizeof(head));
		buf_put(&a->out, data, n);
		if (a->out.failed || send_out(a) != 0 ||
		    (a->out.len > MAX_BEHIND && io->log != NULL))
			detach(a);
	}
	if (io->log == NULL && is_slow(io)) {
		stream_pause(&io->streams[0]);
		stream_pause(&io->streams[1]);
	}
}

/* The process has read what was typed. */
void
attached_resume(struct io *io)
{
	list_each(a, &io->attached, struct attached, node) if (a->paused)
	{
		a->paused = false;
		if (take_input(a) != 0 || send_out(a) != 0)
			detach(a);
	}
}

/* No more will come: each is closed when it has got everything. */
void
attached_end(struct io *io)
{
	list_each(a, &io->attached, struct attached, node)
	{
		list_remove(&a->node);
		a->io = NULL;
		a->ending = true;
		if (send_out(a) != 0)
			detach(a);
	}
}

/* What ended before the client came ends for it at once. */
static void
tell_of_ends(struct attached *a)
{
	for (int i = 0; i < 2; i++) {
		uint8_t head[HEADER] = {a->io->streams[i].number};

		if (a->io->streams[i].ended)
			buf_put(&a->out, head, sizeof(head));
	}
}

int
attach(struct io *io, struct call *call)
{
	struct attached *a = calloc(1, sizeof(*a));
	int error;

	if (a == NULL) {
		call_fail(call, RESOURCE_EXHAUSTED, "no memory");
		return -ENOMEM;
	}
	a->watch = (struct watch){call_take_over(call, &a->in), attached_ready};
	if (a->watch.fd < 0) {
		error = a->watch.fd;
		free(a);
		return error;
	}
	a->io = io;
	list_append(&io->attached, &a->node);
	tell_of_ends(a);
	if (loop_add(&a->watch, EPOLLIN) < 0 || take_input(a) != 0 || send_out(a) != 0)
		detach(a);
	return 0;
}
