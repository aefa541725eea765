/*
 * fuzz_messages.c: the first byte chooses a message, the others are it.  What
 * can be decoded must be the same when it was encoded and decoded once more.
 */
#include "test.h"

static const struct pb_message *const all[] = {
#define STRING(number, name)
#define BYTES(number, name)
#define BOOL(number, name)
#define UINT32(number, name)
#define UINT64(number, name)
#define INT32(number, name)
#define INT64(number, name)
#define ENUM(number, name, type)
#define DOUBLE(number, name)
#define ONE(number, name, of)
#define MANY(number, name, of)
#define STRINGS(number, name)
#define MESSAGE(type, full_name, fields) &pb_##type,
#define SAME(type, as, full_name) &pb_##type,
#include "messages.def"
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf once = {0}, twice = {0};
	_Alignas(16) char message[2048];

	if (size == 0) return 0;
	const struct pb_message *m = all[data[0] % count_of(all)];
	check(m->size <= sizeof(message));
	if (pb_decode(m, message, (struct str){(const char *)data + 1, size - 1}, &arena) != 0)
		return 0;
	pb_encode(m, message, &once);
	check(pb_decode(m, message, buf_str(&once), &arena) == 0);
	pb_encode(m, message, &twice);
	check(once.len == twice.len &&
	      (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
	return 0;
}
