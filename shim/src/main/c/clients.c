/*
 * clients.c: who sees and feeds the streams of a process.
 *
 * A client calls Attach on a connection to the task socket; when that is
 * answered the connection carries frames, a u8 stream and a u32 length (big
 * endian) before the bytes: 1 stdout, 2 stderr from us, 0 stdin to us.  A
 * frame without bytes ends its stream.  The FIFOs of a terminal are clients
 * too, raw ones, without frames.
 *
 * A client that is 1 MiB behind is closed where there is a log: it must stall
 * neither that nor the process.  Where there is none (an exec) the client is
 * the only reader, and the process waits for it.
 */
#include "shim.h"

enum { HEADER = 5, MAX_BEHIND = 1 << 20, MAX_INPUT = 1 << 20 };

struct client {
	struct channel channel;
	struct list node;
	struct io *io; /* NULL: no more will come */
	bool raw, feeds;
};

bool clients_behind(const struct io *io, size_t limit) {
	list_each(client, &io->clients, struct client, node)
		if (client->channel.out.len > limit) return true;
	return false;
}

static void leave(struct channel *channel) {
	struct client *client = owner_of(channel, struct client, channel);
	struct io *io = client->io;
	bool last_input = io != NULL && client->feeds && strstr(io->uri[0], "?once") != NULL;

	list_remove(&client->node);
	channel_close(channel);
	free(client);
	if (last_input) io_close_input(io);
	if (io != NULL) io_update(io);
}

static void caught_up(struct channel *channel) {
	const struct client *client = owner_of(channel, struct client, channel);

	if (client->io != NULL) io_update(client->io);
}

/* Take a frame, or what there is of a raw stream: how much that was, or an error. */
static ssize_t take_some(struct client *client) {
	const struct buf *in = &client->channel.in;
	size_t head = client->raw ? 0 : HEADER, n;
	int error = 0;

	if (in->len < head || in->len == 0) return 0;
	n = client->raw ? in->len : get_u32(in->data + 1);
	if (!client->raw && (in->data[0] != 0 || n > MAX_INPUT || !client->feeds)) return -EBADMSG;
	if (in->len < head + n) return 0;
	if (n == 0 && client->io != NULL)
		io_close_input(client->io);
	else if (client->io != NULL)
		error = io_type(client->io, in->data + head, n);
	client->channel.paused = error == -EAGAIN;
	return (ssize_t)(head + n);
}

static int take(struct channel *channel) {
	struct client *client = owner_of(channel, struct client, channel);
	ssize_t n = 1;

	/* What comes before the process can read it waits. */
	channel->paused = client->feeds && client->io != NULL && !client->io->opened;
	while (n > 0 && !channel->paused) {
		n = take_some(client);
		if (n > 0) buf_drop(&channel->in, (size_t)n);
	}
	return n < 0 ? (int)n : 0;
}

void clients_resume(struct io *io) {
	list_each(client, &io->clients, struct client, node) {
		if (!client->channel.paused) continue;
		if (take(&client->channel) < 0)
			leave(&client->channel);
		else
			channel_update(&client->channel);
	}
}

void clients_write(struct io *io, uint8_t stream, const void *data, size_t n) {
	uint8_t head[HEADER] = {stream};

	put_u32(head + 1, (uint32_t)n);
	list_each(client, &io->clients, struct client, node) {
		if (client->raw && client->feeds) continue; /* the other FIFO of a terminal */
		if (!client->raw) buf_put(&client->channel.out, head, sizeof(head));
		buf_put(&client->channel.out, data, n);
		channel_send(&client->channel);
		if (io->log != NULL && client->channel.out.len > MAX_BEHIND)
			leave(&client->channel);
	}
}

void clients_end(struct io *io) {
	list_each(client, &io->clients, struct client, node)
		channel_end(&client->channel);
}

void clients_leave(struct io *io) {
	list_each(client, &io->clients, struct client, node) {
		list_remove(&client->node);
		client->io = NULL;
		client->channel.paused = false;
		channel_update(&client->channel);
		channel_end(&client->channel);
	}
}

/* What ended before the client came ends for it at once. */
static void tell_of_ends(struct client *client) {
	for (int i = 0; i < 2; i++) {
		uint8_t head[HEADER] = {client->io->streams[i].number};

		if (client->io->streams[i].ended) buf_put(&client->channel.out, head, sizeof(head));
	}
	channel_send(&client->channel);
}

static struct client *client_new(struct io *io, bool raw, bool feeds) {
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL) return NULL;
	*client = (struct client){.io = io, .raw = raw, .feeds = feeds};
	client->channel = (struct channel){
		.take = raw && !feeds ? NULL : take, .sent = caught_up, .closed = leave};
	list_append(&io->clients, &client->node);
	return client;
}

int client_raw(struct io *io, int fd, bool feeds) {
	struct client *client = client_new(io, true, feeds);
	int error = client == NULL ? -ENOMEM : channel_open(&client->channel, fd);

	if (client == NULL)
		close(fd);
	else if (error != 0)
		leave(&client->channel);
	return error;
}

int attach(struct io *io, struct call *call, bool feeds) {
	struct client *client = client_new(io, false, feeds);
	int error;

	if (client == NULL) return call_fail(call, RESOURCE_EXHAUSTED, "no memory");
	client->channel.watch.fd = -1;
	error = call_take_over(call, &client->channel);
	if (error == 0) error = take(&client->channel);
	if (error != 0) {
		client->feeds = false; /* it never did */
		leave(&client->channel);
	} else {
		tell_of_ends(client);
	}
	return 0;
}
