/*
 * wire_test.c TABLE...: compares all messages of messages.def with the tables
 * of the protocol, whose rows are "field", message, number, name, type and
 * more, with tabs between.
 */
#include "test.h"

struct row {
	const char *message, *name, *type;
	int number;
};

#define FIELD(number, name, type) {NULL, #name, type, number},
#define STRING(number, name) FIELD(number, name, "string")
#define BYTES(number, name) FIELD(number, name, "bytes")
#define BOOL(number, name) FIELD(number, name, "bool")
#define UINT32(number, name) FIELD(number, name, "uint32")
#define UINT64(number, name) FIELD(number, name, "uint64")
#define INT32(number, name) FIELD(number, name, "int32")
#define INT64(number, name) FIELD(number, name, "int64")
#define ENUM(number, name, type) FIELD(number, name, type)
#define DOUBLE(number, name) FIELD(number, name, "double")
#define ONE(number, name, of) {#of, #name, NULL, number},
#define MANY(number, name, of) {#of, #name, "repeated ", number},
#define STRINGS(number, name) FIELD(number, name, "repeated string")
#define MESSAGE(type, full_name, fields) static const struct row rows_of_##type[] = {fields};
#define SAME(type, as, full_name)
#include "messages.def"

/* The messages, with their rows; struct names are resolved to full names by this list. */
static const struct message {
	const char *type, *as, *name;
	const struct row *rows;
	size_t count;
	const struct pb_message *made;
} messages[] = {
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
#define MESSAGE(type, full_name, fields)                                                           \
	{#type, #type, full_name, rows_of_##type, count_of(rows_of_##type), &pb_##type},
#define SAME(type, as, full_name)                                                                  \
	{#type, #as, full_name, rows_of_##as, count_of(rows_of_##as), &pb_##type},
#include "messages.def"
};

/* Of google's own, and of the introspection that has no table. */
static const char *const without_table[] = {"google.protobuf.Any", "google.protobuf.Timestamp",
					    "containerd.types.RuntimeInfo",
					    "containerd.types.RuntimeVersion"};

static const char *full_name(const char *type) {
	for (size_t i = 0; i < count_of(messages); i++)
		if (strcmp(messages[i].type, type) == 0) return messages[i].name;
	return type;
}

static bool has_table(const char *name) {
	for (size_t i = 0; i < count_of(without_table); i++)
		if (strcmp(without_table[i], name) == 0) return false;
	return true;
}

/* Whether the tables have the line "field MESSAGE NUMBER NAME TYPE". */
static bool listed(const char *tables, const char *message, const struct row *row) {
	const char *type = row->type == NULL ? "" : row->type;
	const char *of = row->message == NULL ? "" : full_name(row->message);
	cleanup_free char *line =
		str_format("\nfield\t%s\t%d\t%s\t%s%s", message, row->number, row->name, type, of);
	const char *found = line == NULL ? NULL : strstr(tables, line);

	return found != NULL && strchr("\t\n", found[strlen(line)]) != NULL;
}

int main(int argc, char **argv) {
	cleanup_buf struct buf tables = {0};
	size_t compared = 0, missing = 0;

	for (int i = 1; i < argc; i++) {
		cleanup_free char *text = read_text(AT_FDCWD, argv[i]);

		check(text != NULL);
		buf_put(&tables, "\n", 1);
		buf_put(&tables, text, strlen(text));
	}
	buf_put(&tables, "", 1);
	for (size_t i = 0; i < count_of(messages); i++) {
		const struct message *m = &messages[i];

		check(strcmp(m->name, m->made->name) == 0 && m->count == m->made->count);
		for (size_t k = 0; k < m->count && has_table(m->name); k++, compared++) {
			check(m->rows[k].number == m->made->fields[k].number);
			if (listed((const char *)tables.data, m->name, &m->rows[k])) continue;
			missing++;
			fprintf(stderr, "not in the tables: %s %d %s\n", m->name, m->rows[k].number,
				m->rows[k].name);
		}
	}
	check(compared > 200);
	return missing == 0 ? 0 : 1;
}
