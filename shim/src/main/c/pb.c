/* pb.c: the codec; see pb.h. */
#include "pb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Two bytes of input may become a whole struct: a limit to that. */
enum { MAX_REPEATED = 4096 };

struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

void
arena_free(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}

static void *
arena_alloc(struct arena *arena, size_t n)
{
	struct arena_block *block = calloc(1, sizeof(*block) + n);

	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

static size_t
item_size(const struct pb_field *field)
{
	switch ((enum pb_type)field->type) {
	case PB_STRING:
	case PB_BYTES:
		return sizeof(struct str);
	case PB_MAP:
		return sizeof(struct key_value);
	case PB_BOOL:
		return sizeof(bool);
	case PB_UINT32:
	case PB_INT32:
	case PB_ENUM:
		return 4;
	case PB_UINT64:
	case PB_INT64:
	case PB_DOUBLE:
		return 8;
	case PB_MESSAGE:
		return field->message->size;
	}
	abort();
}

static bool
is_bytes(const struct pb_field *field)
{
	return field->type == PB_STRING || field->type == PB_BYTES || field->type == PB_MESSAGE ||
	       field->type == PB_MAP;
}

static int
take_varint(struct str *in, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70 && in->n > 0; shift += 7) {
		uint8_t byte = (uint8_t)*in->p;

		in->p++;
		in->n--;
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int
take_bytes(struct str *in, uint64_t n, struct str *out)
{
	if (n > in->n)
		return -EBADMSG;
	*out = (struct str){in->p, (size_t)n};
	in->p += n;
	in->n -= (size_t)n;
	return 0;
}

static const struct pb_field *
find_field(const struct pb_message *message, uint64_t number)
{
	for (int i = 0; i < message->count; i++)
		if (message->fields[i].number == number)
			return &message->fields[i];
	return NULL;
}

static void *
place(const struct pb_field *field, void *out, struct arena *arena)
{
	struct rep *rep = (struct rep *)(void *)((char *)out + field->offset);
	size_t size = item_size(field);

	if (!field->repeated)
		return rep;
	if (rep->count == rep->cap) {
		uint32_t cap = rep->cap == 0 ? 4 : rep->cap * 2;
		void *items = cap > MAX_REPEATED ? NULL : arena_alloc(arena, cap * size);

		if (items == NULL)
			return NULL;
		if (rep->count > 0)
			memcpy(items, rep->items, rep->count * size);
		rep->items = items;
		rep->cap = cap;
	}
	return (char *)rep->items + size * rep->count++;
}

static const struct pb_field map_fields[] = {
	{"key", NULL, 1, offsetof(struct key_value, key), PB_STRING, false},
	{"value", NULL, 2, offsetof(struct key_value, value), PB_STRING, false},
};
static const struct pb_message map_entry = {"map", map_fields, 2, sizeof(struct key_value)};

static const struct pb_message *
inner(const struct pb_field *field)
{
	return field->type == PB_MAP ? &map_entry : field->message;
}

static int merge(const struct pb_message *message, void *out, struct str in, struct arena *arena);

static int
take_field(const struct pb_field *field, void *out, uint64_t number, struct str bytes,
	   struct arena *arena)
{
	void *at = place(field, out, arena);

	if (at == NULL)
		return -EBADMSG;
	switch ((enum pb_type)field->type) {
	case PB_STRING:
	case PB_BYTES:
		*(struct str *)at = bytes;
		return 0;
	case PB_BOOL:
		*(bool *)at = number != 0;
		return 0;
	case PB_UINT32:
	case PB_INT32:
	case PB_ENUM:
		*(uint32_t *)at = (uint32_t)number;
		return 0;
	case PB_UINT64:
	case PB_INT64:
		*(uint64_t *)at = number;
		return 0;
	case PB_DOUBLE:
		memcpy(at, &number, sizeof(number));
		return 0;
	case PB_MESSAGE:
	case PB_MAP:
		return merge(inner(field), at, bytes, arena);
	}
	abort();
}

static int
take_value(struct str *in, unsigned int wire, uint64_t *number, struct str *bytes)
{
	int error;

	switch (wire) {
	case VARINT:
		return take_varint(in, number);
	case FIXED64:
	case FIXED32:
		error = take_bytes(in, wire == FIXED64 ? 8 : 4, bytes);
		if (error == 0)
			memcpy(number, bytes->p, bytes->n);
		return error;
	case BYTES:
		error = take_varint(in, number);
		return error != 0 ? error : take_bytes(in, *number, bytes);
	default: /* groups are long gone */
		return -EBADMSG;
	}
}

static int
merge(const struct pb_message *message, void *out, struct str in, struct arena *arena)
{
	while (in.n > 0) {
		const struct pb_field *field;
		uint64_t key, number = 0;
		struct str bytes = {0};
		unsigned int wire;
		int error = take_varint(&in, &key);

		if (error != 0 || key >> 3 == 0 || key >> 3 >= 1u << 29)
			return -EBADMSG;
		wire = key & 7;
		error = take_value(&in, wire, &number, &bytes);
		if (error != 0)
			return error;
		field = find_field(message, key >> 3);
		if (field == NULL)
			continue;
		if (wire != (is_bytes(field) ? BYTES : field->type == PB_DOUBLE ? FIXED64 : VARINT))
			return -EBADMSG;
		error = take_field(field, out, number, bytes, arena);
		if (error != 0)
			return error;
	}
	return 0;
}

int
pb_decode(const struct pb_message *message, void *out, struct str in, struct arena *arena)
{
	memset(out, 0, message->size);
	return merge(message, out, in, arena);
}

static void
put_varint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (uint8_t)(value | 0x80);
	bytes[n++] = (uint8_t)value;
	buf_put(out, bytes, n);
}

static void
put_bytes(struct buf *out, const struct pb_field *field, struct str value)
{
	put_varint(out, (uint64_t)field->number << 3 | BYTES);
	put_varint(out, value.n);
	buf_put(out, value.p, value.n);
}

static uint64_t
number_at(const struct pb_field *field, const void *at)
{
	uint64_t number = 0;

	switch ((enum pb_type)field->type) {
	case PB_BOOL:
		return *(const bool *)at;
	case PB_UINT32:
		return *(const uint32_t *)at;
	case PB_INT32:
	case PB_ENUM:
		return (uint64_t)(int64_t) * (const int32_t *)at;
	default:
		memcpy(&number, at, sizeof(number));
		return number;
	}
}

static void
put_item(struct buf *out, const struct pb_field *field, const void *at, bool always)
{
	cleanup_buf struct buf nested = {0};
	uint64_t number;

	switch ((enum pb_type)field->type) {
	case PB_STRING:
	case PB_BYTES:
		if (always || ((const struct str *)at)->n > 0)
			put_bytes(out, field, *(const struct str *)at);
		return;
	case PB_MESSAGE:
	case PB_MAP:
		pb_encode(inner(field), at, &nested);
		out->failed |= nested.failed;
		if (always || nested.len > 0)
			put_bytes(out, field, buf_str(&nested));
		return;
	default:
		number = number_at(field, at);
		if (!always && number == 0)
			return;
		put_varint(out, (uint64_t)field->number << 3 |
					(field->type == PB_DOUBLE ? FIXED64 : VARINT));
		if (field->type == PB_DOUBLE)
			buf_put(out, &number, sizeof(number));
		else
			put_varint(out, number);
	}
}

void
pb_encode(const struct pb_message *message, const void *in, struct buf *out)
{
	for (int i = 0; i < message->count; i++) {
		const struct pb_field *field = &message->fields[i];
		const void *at = (const char *)in + field->offset;
		const struct rep *rep = at;

		if (!field->repeated) {
			put_item(out, field, at, false);
			continue;
		}
		for (uint32_t k = 0; k < rep->count; k++)
			put_item(out, field, (const char *)rep->items + k * item_size(field), true);
	}
}
