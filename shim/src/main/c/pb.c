/* pb.c: the codec; see pb.h. */
#include "pb.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Two bytes of input may become a whole struct: a limit to that. */
enum { MAX_REPEATED = 4096 };

_Static_assert(sizeof(struct str) == 16 && sizeof(struct rep) == 16, "see field_size");

#define MESSAGE(type, full_name, fields)                                                           \
	static const struct pb_field fields_of_##type[] = {fields};                                \
	const struct pb_message pb_##type = {full_name, fields_of_##type,                          \
					     count_of(fields_of_##type), sizeof(struct type)};
#define SAME(type, as, full_name)                                                                  \
	const struct pb_message pb_##type = {full_name, fields_of_##as, count_of(fields_of_##as),  \
					     sizeof(struct as)};
#define FIELD(number, name, kind) {#name, NULL, number, kind, false},
#define STRING(number, name) FIELD(number, name, PB_BYTES)
#define BYTES(number, name) FIELD(number, name, PB_BYTES)
#define BOOL(number, name) FIELD(number, name, PB_NUMBER)
#define UINT32(number, name) FIELD(number, name, PB_NUMBER)
#define UINT64(number, name) FIELD(number, name, PB_NUMBER)
#define INT32(number, name) FIELD(number, name, PB_NUMBER)
#define INT64(number, name) FIELD(number, name, PB_NUMBER)
#define ENUM(number, name, type) FIELD(number, name, PB_NUMBER)
#define DOUBLE(number, name) FIELD(number, name, PB_DOUBLE)
#define ONE(number, name, type) {#name, &pb_##type, number, PB_MESSAGE, false},
#define MANY(number, name, type) {#name, &pb_##type, number, PB_MESSAGE, true},
#define STRINGS(number, name) {#name, NULL, number, PB_BYTES, true},
#include "messages.def"

struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

void arena_free(struct arena *arena) {
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}

static void *arena_alloc(struct arena *arena, size_t n) {
	struct arena_block *block = calloc(1, sizeof(*block) + n);

	if (block == NULL) return NULL;
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

static size_t item_size(const struct pb_field *field) {
	return field->kind == PB_MESSAGE ? field->message->size : field->kind == PB_BYTES ? 16 : 8;
}

/* How much of its message's struct it takes: the fields are there one after the other. */
static size_t field_size(const struct pb_field *field) {
	return field->repeated ? sizeof(struct rep) : item_size(field);
}

static int take_varint(struct str *in, uint64_t *out) {
	*out = 0;
	for (unsigned int shift = 0; shift < 70 && in->n > 0; shift += 7) {
		uint8_t byte = (uint8_t)*in->p;

		in->p++;
		in->n--;
		if (shift < 64) *out |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) return 0;
	}
	return -EBADMSG;
}

static int take_value(struct str *in, unsigned int wire, uint64_t *number, struct str *bytes) {
	uint64_t n = wire == FIXED64 ? 8 : 4;
	int error = 0;

	if (wire == VARINT) return take_varint(in, number);
	if (wire == BYTES)
		error = take_varint(in, &n);
	else if (wire != FIXED64 && wire != FIXED32) /* groups are long gone */
		error = -EBADMSG;
	if (error != 0 || n > in->n) return -EBADMSG;
	*bytes = (struct str){in->p, (size_t)n};
	in->p += n;
	in->n -= (size_t)n;
	if (wire != BYTES) memcpy(number, bytes->p, bytes->n);
	return 0;
}

/* One more item; there is room for 4, 8, 16 and so on. */
static void *add_item(struct rep *rep, size_t size, struct arena *arena) {
	if (rep->count == MAX_REPEATED) return NULL;
	if (rep->count == 0 || (rep->count >= 4 && (rep->count & (rep->count - 1)) == 0)) {
		void *items = arena_alloc(arena, (rep->count == 0 ? 4 : rep->count * 2) * size);

		if (items == NULL) return NULL;
		if (rep->count > 0) memcpy(items, rep->items, rep->count * size);
		rep->items = items;
	}
	return (char *)rep->items + size * rep->count++;
}

static int merge(const struct pb_message *message, void *out, struct str in, struct arena *arena);

static int take_field(const struct pb_field *field, void *at, unsigned int wire, uint64_t number,
		      struct str bytes, struct arena *arena) {
	static const uint8_t wires[] = {[PB_NUMBER] = VARINT,
					[PB_DOUBLE] = FIXED64,
					[PB_BYTES] = BYTES,
					[PB_MESSAGE] = BYTES};

	if (wire != wires[field->kind]) return -EBADMSG;
	if (field->repeated) at = add_item(at, item_size(field), arena);
	if (at == NULL) return -EBADMSG;
	if (field->kind == PB_MESSAGE) return merge(field->message, at, bytes, arena);
	if (field->kind == PB_BYTES)
		*(struct str *)at = bytes;
	else
		memcpy(at, &number, sizeof(number));
	return 0;
}

static int merge(const struct pb_message *message, void *out, struct str in, struct arena *arena) {
	int error = 0;

	while (in.n > 0 && error == 0) {
		const struct pb_field *field = message->fields, *end = field + message->count;
		uint64_t key, number = 0;
		struct str bytes = {0};
		char *at = out;

		if (take_varint(&in, &key) != 0 || key >> 3 == 0 || key >> 3 >= 1u << 29)
			return -EBADMSG;
		error = take_value(&in, key & 7, &number, &bytes);
		while (field < end && field->number != key >> 3)
			at += field_size(field++);
		if (error == 0 && field < end)
			error = take_field(field, at, key & 7, number, bytes, arena);
	}
	return error;
}

int pb_decode(const struct pb_message *message, void *out, struct str in, struct arena *arena) {
	memset(out, 0, message->size);
	return merge(message, out, in, arena);
}

static void put_varint(struct buf *out, uint64_t value) {
	uint8_t bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (uint8_t)(value | 0x80);
	bytes[n++] = (uint8_t)value;
	buf_put(out, bytes, n);
}

static void put_bytes(struct buf *out, uint64_t number, struct str value) {
	put_varint(out, number << 3 | BYTES);
	put_varint(out, value.n);
	buf_put(out, value.p, value.n);
}

static void put_item(struct buf *out, const struct pb_field *field, const void *at) {
	cleanup_buf struct buf nested = {0};
	struct str bytes = {0};
	uint64_t number = 0;

	if (field->kind == PB_BYTES) {
		bytes = *(const struct str *)at;
	} else if (field->kind == PB_MESSAGE) {
		pb_encode(field->message, at, &nested);
		out->failed |= nested.failed;
		bytes = buf_str(&nested);
	} else {
		memcpy(&number, at, sizeof(number));
	}
	if (field->kind >= PB_BYTES && (bytes.n > 0 || field->repeated)) {
		put_bytes(out, field->number, bytes);
	} else if (number != 0 && field->kind == PB_NUMBER) {
		put_varint(out, (uint64_t)field->number << 3 | VARINT);
		put_varint(out, number);
	} else if (number != 0) {
		put_varint(out, (uint64_t)field->number << 3 | FIXED64);
		buf_put(out, &number, sizeof(number));
	}
}

void pb_encode(const struct pb_message *message, const void *in, struct buf *out) {
	const struct pb_field *field = message->fields;
	const char *at = in;

	for (uint32_t i = 0; i < message->count; i++, at += field_size(field++)) {
		const struct rep *rep = (const void *)at;

		for (size_t k = 0; k < (field->repeated ? rep->count : 1); k++)
			put_item(out, field,
				 field->repeated ? (char *)rep->items + k * item_size(field) : at);
	}
}
