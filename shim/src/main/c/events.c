/*
 * events.c: tells the daemon what happened, in order.
 *
 * One Forward is outstanding; the next is sent when it is answered.  While the
 * daemon is away the events wait here and are sent again from the one that was
 * not answered.  Only calls and exits make events, so little gathers; should
 * it be more than MAX_WAITING, the oldest go: states are the truth, events
 * are hints.
 */
#include "shim.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_WAITING = 2048, ANSWER_MS = 5000, RETRY_MS = 100, RETRY_MAX_MS = 1000 };

struct event {
	struct list node;
	struct buf request;
};

static LIST_HEAD(waiting);
static int count;
static char *namespace;
static struct sockaddr_un daemon_address;
static struct watch connection = {.fd = -1};
static struct timer limit;
static int retry_ms = RETRY_MS;
static bool outstanding;
static uint32_t stream = 1;
static size_t sent;
static struct buf frame, answer;

static void send_next(void);

static void
drop_first(void)
{
	struct event *first = owner_of(waiting.next, struct event, node);

	list_remove(&first->node);
	buf_free(&first->request);
	free(first);
	count--;
}

/* Begin again later, with the event that was not answered. */
static void
disconnect(void)
{
	if (connection.fd >= 0)
		loop_close(&connection);
	outstanding = false;
	buf_free(&frame);
	buf_free(&answer);
	timer_start(&limit, retry_ms);
	retry_ms = retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : retry_ms * 2;
}

static void
send_rest(void)
{
	while (sent < frame.len) {
		ssize_t n = send(connection.fd, frame.data + sent, frame.len - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			loop_change(&connection, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0) {
			disconnect();
			return;
		}
		sent += (size_t)n;
	}
	loop_change(&connection, EPOLLIN);
}

static void
receive(void)
{
	uint8_t *room = buf_room(&answer, 512);
	ssize_t n = room == NULL ? 0 : recv(connection.fd, room, 512, MSG_DONTWAIT);
	struct frame head;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		disconnect();
		return;
	}
	answer.len += (size_t)n;
	if (answer.len < FRAME_HEADER)
		return;
	head = parse_frame(answer.data);
	if (head.length > FRAME_MAX || head.type != FRAME_RESPONSE || head.stream != stream ||
	    !outstanding) {
		disconnect();
		return;
	}
	if (answer.len < FRAME_HEADER + head.length)
		return;
	/* An error is an answer too: the daemon has seen the event and does not want it. */
	buf_free(&answer);
	buf_free(&frame);
	outstanding = false;
	retry_ms = RETRY_MS;
	stream += 2;
	timer_stop(&limit);
	drop_first();
	send_next();
}

static void
connection_ready(struct watch *watch, uint32_t events)
{
	(void)watch;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive();
	else if (events & EPOLLOUT)
		send_rest();
}

static int
connect_to_daemon(void)
{
	int error;

	connection = (struct watch){socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
				    connection_ready};
	if (connection.fd < 0)
		return -errno;
	if (connect(connection.fd, (struct sockaddr *)&daemon_address, sizeof(daemon_address)) < 0)
		error = -errno;
	else
		error = loop_add(&connection, EPOLLIN);
	if (error != 0)
		close_fd(&connection.fd);
	stream = 1;
	return error;
}

static void
send_next(void)
{
	const struct event *first = owner_of(waiting.next, struct event, node);

	if (outstanding || list_empty(&waiting) || daemon_address.sun_path[0] == '\0')
		return;
	if (connection.fd < 0 && connect_to_daemon() < 0) {
		disconnect();
		return;
	}
	put_frame(&frame, stream, FRAME_REQUEST, buf_str(&first->request));
	outstanding = true;
	sent = 0;
	timer_start(&limit, ANSWER_MS);
	send_rest();
}

static void
limit_due(struct timer *timer)
{
	(void)timer;
	if (outstanding)
		disconnect();
	else
		send_next();
}

void
events_open(const char *in_namespace, const char *ttrpc_address)
{
	if (strncmp(ttrpc_address, "unix://", 7) == 0)
		ttrpc_address += 7;
	namespace = strdup(in_namespace);
	daemon_address.sun_family = AF_UNIX;
	if (strlen(ttrpc_address) < sizeof(daemon_address.sun_path))
		strcpy(daemon_address.sun_path, ttrpc_address);
	else
		log_error("the daemon's address is too long: %s", ttrpc_address);
	limit.fire = limit_due;
}

static void
encode(struct buf *request, const char *topic, struct any any)
{
	cleanup_buf struct buf payload = {0};
	struct stamp now = now_stamp();
	struct key_value metadata = {STR("containerd-namespace-ttrpc"), str_of(namespace)};
	struct forward_request forward = {
		.envelope = {{now.seconds, now.nanos}, str_of(namespace), str_of(topic), any},
	};

	pb_encode(&pb_forward_request, &forward, &payload);
	pb_encode(&pb_request,
		  &(struct request){
			  .service = STR("containerd.services.events.ttrpc.v1.Events"),
			  .method = STR("Forward"),
			  .payload = buf_str(&payload),
			  .timeout_nano = (int64_t)ANSWER_MS * 1000000,
			  .metadata = {&metadata, 1, 1},
		  },
		  request);
	request->failed |= payload.failed;
}

void
events_publish(const char *topic, const struct pb_message *message, const void *what)
{
	cleanup_buf struct buf value = {0};
	struct event *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return;
	pb_encode(message, what, &value);
	encode(&event->request, topic, (struct any){str_of(message->name), buf_str(&value)});
	if (value.failed || event->request.failed) {
		buf_free(&event->request);
		free(event);
		return;
	}
	if (count >= MAX_WAITING && !outstanding)
		drop_first();
	list_append(&waiting, &event->node);
	count++;
	/* While nobody is there the timer tries again, not each new event. */
	if (!outstanding && (connection.fd >= 0 || limit.node.next == NULL))
		send_next();
}

bool
events_pending(void)
{
	return !list_empty(&waiting);
}

void
events_flush(int ms)
{
	int64_t end = now_ms() + ms;

	while (events_pending() && now_ms() < end) {
		struct pollfd fd = {connection.fd, POLLIN, 0};

		send_next();
		if (sent < frame.len)
			fd.events = POLLIN | POLLOUT;
		fd.fd = connection.fd;
		poll(&fd, 1, 20);
		if (fd.revents != 0)
			connection_ready(&connection,
					 fd.revents & POLLOUT ? (uint32_t)EPOLLOUT : EPOLLIN);
	}
}
