/* channel.c: see base.h. All that is sent or received in pieces goes through one of these. */
#include "base.h"

enum { PIECE = 4096 };

/* Whose callback runs; NULL when that has closed it. */
static struct channel *current;

void channel_update(struct channel *c) {
	uint32_t in = c->take != NULL && !c->paused ? EPOLLIN : 0;

	/* A plain file cannot be waited for: what a full disk does not take now is lost. */
	if (loop_want(&c->watch, in | (c->out.len > 0 ? EPOLLOUT : 0)) == -EPERM) buf_free(&c->out);
}

static int send_some(struct channel *c) {
	while (c->out.len > 0) {
		ssize_t n = write(c->watch.fd, c->out.data, c->out.len);

		if (n < 0 && errno == EAGAIN) return 0;
		if (n < 0 && errno != EINTR) return -errno;
		buf_drop(&c->out, n < 0 ? 0 : (size_t)n);
	}
	return c->out.failed ? -ENOMEM : 0;
}

static int receive(struct channel *c) {
	uint8_t *room = buf_room(&c->in, PIECE);
	ssize_t n = room == NULL ? 0 : read(c->watch.fd, room, c->in.cap - c->in.len);
	int error;

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
	if (n <= 0) return -EPIPE;
	c->in.len += (size_t)n;
	error = c->take(c);
	if (current == c && c->in.len == 0) buf_free(&c->in);
	return error;
}

static void channel_ready(struct watch *watch, uint32_t events) {
	struct channel *c = owner_of(watch, struct channel, watch);
	bool had_some = c->out.len > 0;
	int error = 0;

	current = c;
	if (events & (EPOLLHUP | EPOLLERR) && c->paused)
		buf_free(&c->out); /* nobody wants it, but what was received is still to be taken */
	else if (events & EPOLLOUT)
		error = send_some(c);
	if (error == 0 && had_some && c->out.len == 0) {
		if (c->ending)
			error = -EPIPE;
		else if (c->sent != NULL)
			c->sent(c);
	}
	if (error == 0 && current == c && !c->paused && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		error = c->take == NULL ? -EPIPE : receive(c);
	if (current != c) return;
	if (error != 0)
		c->closed(c);
	else
		channel_update(c);
}

int channel_open(struct channel *c, int fd) {
	c->watch = (struct watch){fd, 0, channel_ready};
	if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return fd < -1 ? fd : -errno; /* it may be what an open function said */
	return loop_want(&c->watch, c->take == NULL ? 0 : EPOLLIN);
}

void channel_send(struct channel *c) {
	/* What cannot be sent to a broken channel stays, and makes its end known. */
	if (!(c->watch.wanted & EPOLLOUT)) send_some(c);
	channel_update(c);
}

void channel_end(struct channel *c) {
	c->ending = true;
	if (c->out.len == 0) c->closed(c);
}

void channel_close(struct channel *c) {
	if (current == c) current = NULL;
	loop_close(&c->watch);
	buf_free(&c->in);
	buf_free(&c->out);
}

int channel_move(struct channel *to, struct channel *from) {
	int fd = from->watch.fd;

	loop_want(&from->watch, 0);
	from->watch.fd = -1;
	to->in = from->in;
	from->in = (struct buf){0};
	return channel_open(to, fd);
}
