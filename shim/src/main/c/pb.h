/*
 * pb.h: protobuf for just the messages that the shim speaks, by tables.
 *
 * messages.def names each message and its fields once; the structs here and
 * the tables of pb.c are made from it, and a test compares it with the
 * protocol.  nanopb was the alternative: its runtime alone is four times as
 * long as pb.c, and it would bring a generator to the build.
 */
#ifndef GANTRY_PB_H
#define GANTRY_PB_H

#include "base.h"

/* All numbers but doubles are varints, and have 64 bits here: a field's size is its kind's. */
enum pb_kind { PB_NUMBER, PB_DOUBLE, PB_BYTES, PB_MESSAGE };

struct pb_field {
	const char *name;
	const struct pb_message *message;
	uint16_t number;
	uint8_t kind;
	bool repeated;
};

struct pb_message {
	const char *name;
	const struct pb_field *fields;
	uint32_t count, size;
};

/* A repeated field. */
struct rep {
	void *items;
	size_t count;
};

/* Holds the arrays of decoded messages; all are freed together. */
struct arena {
	struct arena_block *blocks;
};

#define cleanup_arena __attribute__((cleanup(arena_free)))
void arena_free(struct arena *arena);

/*
 * OUT is zeroed first; what is bytes points into IN. -EBADMSG if it is
 * malformed.  Unknown fields are passed over.
 */
int pb_decode(const struct pb_message *message, void *out, struct str in, struct arena *arena);
/* Zero fields and empty messages are left out, as proto3 does. */
void pb_encode(const struct pb_message *message, const void *in, struct buf *out);

#define MESSAGE(type, full_name, fields)                                                           \
	struct type {                                                                              \
		fields                                                                             \
	};                                                                                         \
	extern const struct pb_message pb_##type;
#define SAME(type, as, full_name) extern const struct pb_message pb_##type;
#define STRING(number, name) struct str name;
#define BYTES(number, name) struct str name;
#define BOOL(number, name) uint64_t name;
#define UINT32(number, name) uint64_t name;
#define UINT64(number, name) uint64_t name;
#define INT32(number, name) int64_t name;
#define INT64(number, name) int64_t name;
#define ENUM(number, name, type) int64_t name;
#define DOUBLE(number, name) double name;
#define ONE(number, name, type) struct type name;
#define MANY(number, name, type) struct rep name;
#define STRINGS(number, name) struct rep name;
#include "messages.def"

#endif
