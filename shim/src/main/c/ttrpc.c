/* ttrpc.c: the server's side; see ttrpc.h. */
#include "ttrpc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that lets more answers than this pile up is cut off. */
enum { MAX_UNSENT = 16 << 20 };

struct connection {
	struct watch watch;
	struct list node, calls;
	struct buf in, out;
	size_t discard; /* bytes of an oversized message still to come */
	uint32_t last_stream;
};

static LIST_HEAD(connections);
static struct watch listener = {.fd = -1};
static struct timer accept_again;

struct frame
parse_frame(const uint8_t h[static FRAME_HEADER])
{
	return (struct frame){
		.length = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3],
		.stream = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7],
		.type = h[8],
		.flags = h[9],
	};
}

void
put_frame(struct buf *out, uint32_t stream, uint8_t type, struct str data)
{
	uint8_t h[FRAME_HEADER] = {(uint8_t)(data.n >> 24),
				   (uint8_t)(data.n >> 16),
				   (uint8_t)(data.n >> 8),
				   (uint8_t)data.n,
				   (uint8_t)(stream >> 24),
				   (uint8_t)(stream >> 16),
				   (uint8_t)(stream >> 8),
				   (uint8_t)stream,
				   type,
				   0};

	buf_put(out, h, sizeof(h));
	buf_put(out, data.p, data.n);
}

static void
close_connection(struct connection *c)
{
	list_each(call, &c->calls, struct call, of_connection)
	{
		bool waits = call->waiting.next != NULL && !list_empty(&call->waiting);

		list_remove(&call->of_connection);
		call->connection = NULL;
		if (waits) { /* nobody else holds it */
			list_remove(&call->waiting);
			free(call);
		}
	}
	list_remove(&c->node);
	loop_close(&c->watch);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
	if (list_empty(&connections))
		serve_clients(false);
}

static int
send_some(struct connection *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->watch.fd, c->out.data, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_drop(&c->out, (size_t)n);
	}
	return 0;
}

/* Whether the connection still works; if not, its next event closes it. */
static void
send_answer(struct connection *c, uint32_t stream, const struct response *response)
{
	cleanup_buf struct buf data = {0};

	pb_encode(&pb_response, response, &data);
	put_frame(&c->out, stream, FRAME_RESPONSE, buf_str(&data));
	if (data.failed || c->out.failed || c->out.len > MAX_UNSENT || send_some(c) < 0)
		shutdown(c->watch.fd, SHUT_RDWR);
	else if (c->out.len > 0)
		loop_change(&c->watch, EPOLLIN | EPOLLOUT);
}

static void
answer(struct call *call, const struct response *response)
{
	if (call->connection != NULL)
		send_answer(call->connection, call->stream, response);
	list_remove(&call->waiting);
	list_remove(&call->of_connection);
	free(call);
}

void
call_reply(struct call *call, const struct pb_message *message, const void *answer_message)
{
	cleanup_buf struct buf payload = {0};

	if (message != NULL)
		pb_encode(message, answer_message, &payload);
	if (payload.failed || payload.len > FRAME_MAX - 64)
		call_fail(call, RESOURCE_EXHAUSTED, "the answer has %zu bytes", payload.len);
	else
		answer(call, &(struct response){.payload = buf_str(&payload)});
}

void
call_fail(struct call *call, enum code code, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	answer(call, &(struct response){.status = {(int32_t)code, str_of(text)}});
}

enum code
code_of(int error)
{
	switch (-error) {
	case ENOENT:
	case ESRCH:
		return NOT_FOUND;
	case EEXIST:
		return ALREADY_EXISTS;
	case EINVAL:
	case EBADMSG:
		return INVALID_ARGUMENT;
	case ENOSPC:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return RESOURCE_EXHAUSTED;
	case ETIMEDOUT:
		return DEADLINE_EXCEEDED;
	default:
		return UNKNOWN;
	}
}

static int
take_request(struct connection *c, const struct frame *frame, struct str data)
{
	cleanup_arena struct arena arena = {0};
	struct request request;
	struct call *call;

	if (pb_decode(&pb_request, &request, data, &arena) < 0)
		return -EBADMSG;
	call = calloc(1, sizeof(*call));
	if (call == NULL)
		return -ENOMEM;
	list_init(&call->waiting);
	call->connection = c;
	call->stream = frame->stream;
	call->timeout_nano = request.timeout_nano;
	list_append(&c->calls, &call->of_connection);
	if (frame->flags != 0)
		call_fail(call, UNIMPLEMENTED, "there are no streaming methods");
	else
		serve_call(call, &request);
	return 0;
}

static int
begin_frame(struct connection *c, const struct frame *frame)
{
	if (frame->type == FRAME_DATA) /* of a streaming call, which was refused */
		return 0;
	if (frame->type != FRAME_REQUEST || frame->stream % 2 != 1 ||
	    frame->stream <= c->last_stream)
		return -EBADMSG;
	c->last_stream = frame->stream;
	return 0;
}

static void
refuse_size(struct connection *c, const struct frame *frame)
{
	char text[64];

	snprintf(text, sizeof(text), "the request has %u bytes", frame->length);
	if (frame->type == FRAME_REQUEST)
		send_answer(c, frame->stream,
			    &(struct response){.status = {RESOURCE_EXHAUSTED, str_of(text)}});
	c->discard = frame->length;
}

/* Take one whole frame from what was received; 0 if there is none, 1 if there was one. */
static int
take_frame(struct connection *c)
{
	cleanup_buf struct buf whole = {0};
	struct frame frame;
	size_t n;
	int error;

	if (c->discard > 0) {
		n = c->discard < c->in.len ? c->discard : c->in.len;
		c->discard -= n;
		buf_drop(&c->in, n);
	}
	if (c->in.len < FRAME_HEADER)
		return 0;
	frame = parse_frame(c->in.data);
	if (frame.length <= FRAME_MAX && c->in.len - FRAME_HEADER < frame.length)
		return 0;
	error = begin_frame(c, &frame);
	if (error != 0)
		return error;
	if (frame.length > FRAME_MAX) {
		buf_drop(&c->in, FRAME_HEADER);
		refuse_size(c, &frame);
		return 1;
	}
	/* The handler may take the connection over, with what follows this frame. */
	n = FRAME_HEADER + frame.length;
	if (c->in.len == n) {
		whole = c->in;
		c->in = (struct buf){0};
	} else {
		buf_put(&whole, c->in.data, n);
		buf_drop(&c->in, n);
	}
	if (whole.failed)
		return -ENOMEM;
	if (frame.type == FRAME_DATA)
		return 1;
	error = take_request(c, &frame,
			     (struct str){(const char *)whole.data + FRAME_HEADER, frame.length});
	return error != 0 ? error : 1;
}

static bool
is_open(const struct connection *wanted)
{
	list_each(c, &connections, struct connection, node) if (c == wanted) return true;
	return false;
}

static int
receive(struct connection *c)
{
	uint8_t *room = buf_room(&c->in, 2048);
	ssize_t n;
	int error;

	if (room == NULL)
		return -ENOMEM;
	n = recv(c->watch.fd, room, c->in.cap - c->in.len, MSG_DONTWAIT);
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->in.len += (size_t)n;
	while ((error = take_frame(c)) == 1)
		if (!is_open(c)) /* taken over */
			return 0;
	if (error == 0 && c->in.len == 0)
		buf_free(&c->in);
	return error;
}

static void
connection_ready(struct watch *watch, uint32_t events)
{
	struct connection *c = owner_of(watch, struct connection, watch);
	int error = 0;

	if (events & EPOLLOUT) {
		error = send_some(c);
		if (error == 0 && c->out.len == 0)
			loop_change(&c->watch, EPOLLIN);
	}
	if (error == 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		error = receive(c);
	if (error == 0)
		return;
	if (error == -EBADMSG)
		log_warn("closing a ttrpc connection that sent a malformed frame");
	close_connection(c);
}

int
call_take_over(struct call *call, struct buf *rest)
{
	struct connection *c = call->connection;
	int fd;

	if (c == NULL || c->out.len > 0 || c->calls.next != &call->of_connection ||
	    c->calls.prev != &call->of_connection) {
		call_fail(call, FAILED_PRECONDITION, "the connection has other calls");
		return -EBUSY;
	}
	call_reply(call, NULL, NULL);
	if (c->out.len > 0)
		return -EBUSY;
	/* A duplicate, so that the connection can be closed as any other. */
	fd = fcntl(c->watch.fd, F_DUPFD_CLOEXEC, 3);
	*rest = c->in;
	c->in = (struct buf){0};
	close_connection(c);
	return fd < 0 ? -EMFILE : fd;
}

static bool
is_welcome(int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void
open_connection(int fd)
{
	struct connection *c = is_welcome(fd) ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL) {
		close(fd);
		return;
	}
	c->watch = (struct watch){fd, connection_ready};
	list_init(&c->calls);
	if (loop_add(&c->watch, EPOLLIN) < 0) {
		close(fd);
		free(c);
		return;
	}
	if (list_empty(&connections))
		serve_clients(true);
	list_append(&connections, &c->node);
}

static void
accept_ready(struct watch *watch, uint32_t events)
{
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		open_connection(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* The client stays in the queue, and the loop must not spin over it. */
		loop_change(watch, 0);
		timer_start(&accept_again, 100);
	}
}

static void
accept_again_due(struct timer *timer)
{
	(void)timer;
	loop_change(&listener, EPOLLIN);
}

int
ttrpc_serve(int fd)
{
	listener = (struct watch){fd, accept_ready};
	accept_again.fire = accept_again_due;
	return loop_add(&listener, EPOLLIN);
}

void
ttrpc_flush(int ms)
{
	int64_t end = now_ms() + ms;

	list_each(c, &connections, struct connection, node) while (c->out.len > 0 && now_ms() < end)
	{
		struct pollfd poll_fd = {c->watch.fd, POLLOUT, 0};

		poll(&poll_fd, 1, 20);
		if (send_some(c) < 0)
			break;
	}
}
