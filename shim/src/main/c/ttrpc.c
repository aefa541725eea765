/* ttrpc.c: the server's side of ttrpc; see shim.h. */
#include "shim.h"

/* A client that lets more answers than this pile up is cut off. */
enum { MAX_UNSENT = 16 << 20 };

struct connection {
	struct channel channel;
	struct list node, calls;
	size_t discard; /* bytes of an oversized message still to come */
	uint32_t last_stream;
};

static LIST_HEAD(connections);
static struct watch listener = {.fd = -1};
static struct timer accept_again;

struct frame parse_frame(const uint8_t h[static FRAME_HEADER]) {
	return (struct frame){get_u32(h), get_u32(h + 4), h[8], h[9]};
}

void put_frame(struct channel *to, uint32_t stream, uint8_t type, struct str data) {
	uint8_t h[FRAME_HEADER] = {[8] = type};

	put_u32(h, (uint32_t)data.n);
	put_u32(h + 4, stream);
	buf_put(&to->out, h, sizeof(h));
	buf_put(&to->out, data.p, data.n);
	channel_send(to);
}

static void close_connection(struct channel *channel) {
	struct connection *c = owner_of(channel, struct connection, channel);

	list_each(call, &c->calls, struct call, of_connection) {
		bool waits = !list_empty(&call->waiting);

		list_remove(&call->of_connection);
		call->connection = NULL;
		if (waits) { /* nobody else holds it */
			list_remove(&call->waiting);
			free(call);
		}
	}
	list_remove(&c->node);
	channel_close(channel);
	free(c);
	serve_clients();
}

static void send_response(struct connection *c, uint32_t stream, const struct response *response) {
	cleanup_buf struct buf data = {0};

	pb_encode(&pb_response, response, &data);
	put_frame(&c->channel, stream, FRAME_RESPONSE, buf_str(&data));
	if (data.failed || c->channel.out.failed || c->channel.out.len > MAX_UNSENT)
		shutdown(c->channel.watch.fd, SHUT_RDWR); /* its next event closes it */
}

static int answer(struct call *call, const struct response *response) {
	if (call->connection != NULL) send_response(call->connection, call->stream, response);
	list_remove(&call->waiting);
	list_remove(&call->of_connection);
	free(call);
	return 0;
}

int call_reply(struct call *call, const struct pb_message *message, const void *content) {
	cleanup_buf struct buf payload = {0};

	if (message != NULL) pb_encode(message, content, &payload);
	if (payload.failed || payload.len > FRAME_MAX - 64)
		return call_fail(call, RESOURCE_EXHAUSTED, "the answer has %zu bytes", payload.len);
	return answer(call, &(struct response){.payload = buf_str(&payload)});
}

int call_fail(struct call *call, enum code code, const char *format, ...) {
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return answer(call, &(struct response){.status = {code, str_of(text)}});
}

int call_fail_with(struct call *call, int error, const char *what) {
	static const struct {
		int error;
		enum code code;
	} codes[] = {{ENOENT, NOT_FOUND},	   {ESRCH, NOT_FOUND},
		     {EEXIST, ALREADY_EXISTS},	   {EINVAL, INVALID_ARGUMENT},
		     {EBADMSG, INVALID_ARGUMENT},  {ENOSPC, RESOURCE_EXHAUSTED},
		     {ENOMEM, RESOURCE_EXHAUSTED}, {EMFILE, RESOURCE_EXHAUSTED},
		     {ENFILE, RESOURCE_EXHAUSTED}, {ETIMEDOUT, DEADLINE_EXCEEDED}};
	enum code code = UNKNOWN;

	for (size_t i = 0; i < count_of(codes); i++)
		if (codes[i].error == -error) code = codes[i].code;
	return call_fail(call, code, "%s: %s", what, strerror(-error));
}

int call_finish(struct call *call, int error, const char *what) {
	return error != 0 ? call_fail_with(call, error, what) : call_reply(call, NULL, NULL);
}

static int take_request(struct connection *c, const struct frame *frame, struct str data) {
	cleanup_arena struct arena arena = {0};
	struct request request;
	struct call *call;

	if (pb_decode(&pb_request, &request, data, &arena) < 0) return -EBADMSG;
	call = calloc(1, sizeof(*call));
	if (call == NULL) return -ENOMEM;
	list_init(&call->waiting);
	call->connection = c;
	call->stream = frame->stream;
	call->timeout_nano = request.timeout_nano;
	call->payload = request.payload;
	list_append(&c->calls, &call->of_connection);
	if (frame->flags != 0)
		call_fail(call, UNIMPLEMENTED, "there are no streaming methods");
	else
		serve_call(call, &request);
	return 0;
}

/* An error closes the connection. */
static int check_frame(struct connection *c, const struct frame *frame) {
	char text[64];

	if (frame->type == FRAME_DATA) /* of a streaming call, which was refused */
		return 0;
	if (frame->type != FRAME_REQUEST || frame->stream % 2 != 1 ||
	    frame->stream <= c->last_stream)
		return -EBADMSG;
	c->last_stream = frame->stream;
	if (frame->length <= FRAME_MAX) return 0;
	snprintf(text, sizeof(text), "the request has %u bytes", frame->length);
	send_response(c, frame->stream,
		      &(struct response){.status = {RESOURCE_EXHAUSTED, str_of(text)}});
	return 0;
}

/* Take one whole frame from what was received; 0 if there is none, 1 if there was one. */
static int take_frame(struct connection *c) {
	struct buf *in = &c->channel.in;
	cleanup_buf struct buf whole = {0};
	struct frame frame;
	size_t n = c->discard < in->len ? c->discard : in->len;
	int error;

	c->discard -= n;
	if (n > 0) buf_drop(in, n);
	if (in->len < FRAME_HEADER) return 0;
	frame = parse_frame(in->data);
	n = (size_t)FRAME_HEADER + frame.length;
	if (frame.length <= FRAME_MAX && in->len < n) return 0;
	error = check_frame(c, &frame);
	if (error != 0) return error;
	if (frame.length > FRAME_MAX) {
		c->discard = n;
		return 1;
	}
	/* The handler may take the connection over, with what follows this frame. */
	if (in->len == n) {
		whole = *in;
		*in = (struct buf){0};
	} else {
		buf_put(&whole, in->data, n);
		buf_drop(in, n);
	}
	if (whole.failed) return -ENOMEM;
	if (frame.type == FRAME_DATA) return 1;
	error = take_request(c, &frame,
			     (struct str){(char *)whole.data + FRAME_HEADER, frame.length});
	return error != 0 ? error : 1;
}

static bool is_open(const struct connection *wanted) {
	list_each(c, &connections, struct connection, node)
		if (c == wanted) return true;
	return false;
}

static int take_frames(struct channel *channel) {
	struct connection *c = owner_of(channel, struct connection, channel);
	int error;

	do
		error = take_frame(c);
	while (error == 1 && is_open(c)); /* it may have been taken over */
	if (error == -EBADMSG) log_warn("closing a ttrpc connection that sent a malformed frame");
	return error < 0 ? error : 0;
}

int call_take_over(struct call *call, struct channel *to) {
	struct connection *c = call->connection;
	int error;

	if (c == NULL || c->channel.out.len > 0 || c->calls.next != c->calls.prev) {
		call_fail(call, FAILED_PRECONDITION, "the connection has other calls");
		return -EBUSY;
	}
	call_reply(call, NULL, NULL);
	if (c->channel.out.len > 0) return -EBUSY;
	error = channel_move(to, &c->channel);
	close_connection(&c->channel);
	return error;
}

static void open_connection(int fd) {
	struct connection *c = calloc(1, sizeof(*c));
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	if (c == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    (peer.uid != geteuid() && peer.uid != 0)) {
		close(fd);
		free(c);
		return;
	}
	c->channel.take = take_frames;
	c->channel.closed = close_connection;
	list_init(&c->calls);
	list_append(&connections, &c->node);
	if (channel_open(&c->channel, fd) < 0)
		close_connection(&c->channel);
	else
		serve_clients();
}

static void accept_ready(struct watch *watch, uint32_t events) {
	int fd = events & EPOLLIN ? accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC) : -1;

	if (fd >= 0) {
		open_connection(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* The client stays in the queue, and the loop must not spin over it. */
		loop_want(watch, 0);
		timer_start(&accept_again, 100);
	}
}

static void accept_again_due(struct timer *timer) {
	timer_stop(timer);
	loop_want(&listener, EPOLLIN);
}

int ttrpc_serve(int fd) {
	listener = (struct watch){fd, 0, accept_ready};
	accept_again.fire = accept_again_due;
	return loop_want(&listener, EPOLLIN);
}

bool ttrpc_clients(void) {
	return !list_empty(&connections);
}
