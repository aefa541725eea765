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

enum { MAX_WAITING = 2048, ANSWER_MS = 5000, RETRY_MS = 100, RETRY_MAX_MS = 1000 };

struct event {
	struct list node;
	struct buf request;
};

static LIST_HEAD(waiting);
static int count;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct channel daemon_channel = {.watch.fd = -1};
static struct timer limit, last;
static int retry_ms = RETRY_MS;
static bool outstanding, ending;
static uint32_t stream;

static void send_next(void);

static void drop(struct list *node) {
	struct event *event = owner_of(node, struct event, node);

	list_remove(node);
	buf_free(&event->request);
	free(event);
	count--;
	if (ending && list_empty(&waiting)) loop_end();
}

/* Begin again later, with the event that was not answered. */
static void disconnect(struct channel *channel) {
	channel_close(channel);
	outstanding = false;
	timer_start(&limit, retry_ms);
	retry_ms = retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : retry_ms * 2;
}

/*
 * The daemon has no room for the event now.  Any other error is an answer too:
 * it has seen the event and does not want it.
 */
static bool comes_too_early(struct str answer) {
	cleanup_arena struct arena arena = {0};
	struct response r;

	return pb_decode(&pb_response, &r, answer, &arena) == 0 &&
	       (r.status.code == UNAVAILABLE || r.status.code == RESOURCE_EXHAUSTED);
}

static int take_answer(struct channel *channel) {
	struct frame head;
	bool again;

	if (channel->in.len < FRAME_HEADER) return 0;
	head = parse_frame(channel->in.data);
	if (head.length > FRAME_MAX || head.type != FRAME_RESPONSE || head.stream != stream ||
	    !outstanding)
		return -EBADMSG;
	if (channel->in.len < FRAME_HEADER + head.length) return 0;
	again = comes_too_early(
		(struct str){(const char *)channel->in.data + FRAME_HEADER, head.length});
	buf_drop(&channel->in, FRAME_HEADER + head.length);
	outstanding = false;
	retry_ms = RETRY_MS;
	if (again) {
		timer_start(&limit, retry_ms);
		return 0;
	}
	timer_stop(&limit);
	drop(waiting.next);
	send_next();
	return 0;
}

static int connect_to_daemon(void) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	stream = UINT32_MAX;
	daemon_channel = (struct channel){.take = take_answer, .closed = disconnect};
	return channel_open(&daemon_channel, fd);
}

static void send_next(void) {
	const struct event *first = owner_of(waiting.next, struct event, node);

	if (outstanding || list_empty(&waiting) || address.sun_path[0] == '\0') return;
	if (daemon_channel.watch.fd < 0 && connect_to_daemon() < 0) {
		disconnect(&daemon_channel);
		return;
	}
	outstanding = true;
	stream += 2;
	timer_start(&limit, ANSWER_MS);
	put_frame(&daemon_channel, stream, FRAME_REQUEST, buf_str(&first->request));
}

static void limit_due(struct timer *timer) {
	timer_stop(timer);
	if (outstanding)
		disconnect(&daemon_channel);
	else
		send_next();
}

static void last_due(struct timer *timer) {
	timer_stop(timer);
	loop_end();
}

void events_open(const char *ttrpc_address) {
	const char *path = after(ttrpc_address, "unix://");

	path = path == NULL ? ttrpc_address : path;
	if (strlen(path) < sizeof(address.sun_path))
		strcpy(address.sun_path, path);
	else
		log_error("the daemon's address is too long: %s", path);
	limit.fire = limit_due;
	last.fire = last_due;
}

void events_end(int ms) {
	ending = true;
	if (list_empty(&waiting))
		loop_end();
	else
		timer_start(&last, ms);
}

/* The request of Forward. */
static void encode(struct buf *out, const char *topic, struct any what) {
	cleanup_buf struct buf payload = {0};
	struct key_value metadata = {STR("containerd-namespace-ttrpc"), str_of(our_namespace)};
	struct forward_request forward = {
		.envelope = {now_stamp(), str_of(our_namespace), str_of(topic), what}};
	struct request request = {.service = STR("containerd.services.events.ttrpc.v1.Events"),
				  .method = STR("Forward"),
				  .timeout_nano = (int64_t)ANSWER_MS * 1000000,
				  .metadata = {&metadata, 1}};

	pb_encode(&pb_forward_request, &forward, &payload);
	request.payload = buf_str(&payload);
	pb_encode(&pb_request, &request, out);
	out->failed |= payload.failed;
}

void events_publish(const char *topic, const struct pb_message *message, const void *what) {
	cleanup_buf struct buf value = {0};
	struct event *event = calloc(1, sizeof(*event));

	if (event == NULL) return;
	pb_encode(message, what, &value);
	encode(&event->request, topic, (struct any){str_of(message->name), buf_str(&value)});
	if (value.failed || event->request.failed) {
		buf_free(&event->request);
		free(event);
		return;
	}
	if (count >= MAX_WAITING) drop(outstanding ? waiting.next->next : waiting.next);
	list_append(&waiting, &event->node);
	count++;
	/* While nobody is there the timer tries again, not each new event. */
	if (!outstanding && (daemon_channel.watch.fd >= 0 || limit.node.next == NULL)) send_next();
}
