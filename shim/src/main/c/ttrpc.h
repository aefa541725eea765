/*
 * ttrpc.h: the wire of containerd's shims, as a server of unary methods and
 * as a client that has one call outstanding.
 */
#ifndef GANTRY_TTRPC_H
#define GANTRY_TTRPC_H

#include "pb.h"

/* google.rpc.Code */
enum code {
	OK = 0,
	UNKNOWN = 2,
	INVALID_ARGUMENT = 3,
	DEADLINE_EXCEEDED = 4,
	NOT_FOUND = 5,
	ALREADY_EXISTS = 6,
	RESOURCE_EXHAUSTED = 8,
	FAILED_PRECONDITION = 9,
	UNIMPLEMENTED = 12,
	INTERNAL = 13,
	UNAVAILABLE = 14,
};

enum { FRAME_HEADER = 10, FRAME_MAX = 4 << 20 };
enum { FRAME_REQUEST = 1, FRAME_RESPONSE = 2, FRAME_DATA = 3 };

struct frame {
	uint32_t length, stream;
	uint8_t type, flags;
};

struct frame parse_frame(const uint8_t header[static FRAME_HEADER]);
void put_frame(struct buf *out, uint32_t stream, uint8_t type, struct str data);

/*
 * One call of a client, from its request until call_reply or call_fail, each
 * of which frees it.  The connection may be gone by then: the answer is then
 * dropped.
 */
struct call {
	struct list of_connection;
	struct list waiting; /* in a list of those who wait for an exit */
	struct connection *connection;
	uint32_t stream;
	int64_t timeout_nano;
};

void call_reply(struct call *call, const struct pb_message *message, const void *answer);
printf_like(3, 4) void call_fail(struct call *call, enum code code, const char *format, ...);
enum code code_of(int error);
/*
 * Answer, then give up the connection: its descriptor, which the caller now
 * owns, and in REST what the client has sent since.  -EBUSY, and the call has
 * failed, if the client has other calls there or does not read.
 */
int call_take_over(struct call *call, struct buf *rest);

/* The services; must reply or fail, now or later. */
void serve_call(struct call *call, const struct request *request);
/* The number of clients has become zero, or is so no longer. */
void serve_clients(bool any);

/* Listen on a bound socket; only processes of our own user are let in. */
int ttrpc_serve(int fd);
/* Send what is waiting to be sent, for at most so long; used before the end. */
void ttrpc_flush(int ms);

#endif
