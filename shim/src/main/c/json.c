/* json.c: see json.h. */
#include "json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void
skip_space(struct str *s)
{
	while (s->n > 0 && strchr(" \t\r\n", *s->p) != NULL && *s->p != '\0') {
		s->p++;
		s->n--;
	}
}

/* Take the string at the beginning of S, with its quotes. */
static struct str
take_string(struct str *s)
{
	struct str value = {s->p, 0};

	for (size_t i = 1; i < s->n; i++) {
		if (s->p[i] == '\\') {
			i++;
		} else if (s->p[i] == '"') {
			value.n = i + 1;
			s->p += value.n;
			s->n -= value.n;
			return value;
		}
	}
	s->n = 0;
	return value;
}

/* Take any value at the beginning of S; empty, and nothing left of S, if there is none. */
static struct str
take_value(struct str *s)
{
	struct str value;
	int depth = 0;

	skip_space(s);
	value = (struct str){s->p, 0};
	while (s->n > 0) {
		char c = *s->p;

		if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			break;
		if (c == '"') {
			if (take_string(s).n == 0)
				return (struct str){0};
		} else {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			s->p++;
			s->n--;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			break;
	}
	value.n = (size_t)(s->p - value.p);
	return value;
}

static bool
take_char(struct str *s, char wanted)
{
	skip_space(s);
	if (s->n == 0 || *s->p != wanted)
		return false;
	s->p++;
	s->n--;
	return true;
}

struct str
json_member(struct str object, const char *name)
{
	struct str none = {0};

	if (!take_char(&object, '{'))
		return none;
	do {
		struct str key, value;

		skip_space(&object);
		if (object.n == 0 || *object.p != '"')
			return none;
		key = take_string(&object);
		if (!take_char(&object, ':'))
			return none;
		value = take_value(&object);
		if (key.n == strlen(name) + 2 && memcmp(key.p + 1, name, key.n - 2) == 0)
			return value;
	} while (take_char(&object, ','));
	return none;
}

struct str
json_path(struct str object, ...)
{
	const char *name;
	va_list names;

	va_start(names, object);
	while ((name = va_arg(names, const char *)) != NULL)
		object = json_member(object, name);
	va_end(names);
	return object;
}

static void
put_utf8(struct buf *out, unsigned long c)
{
	uint8_t bytes[3] = {(uint8_t)c, 0, 0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;

	if (n == 2) {
		bytes[0] = (uint8_t)(0xc0 | c >> 6);
		bytes[1] = (uint8_t)(0x80 | (c & 0x3f));
	} else if (n == 3) {
		bytes[0] = (uint8_t)(0xe0 | c >> 12);
		bytes[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		bytes[2] = (uint8_t)(0x80 | (c & 0x3f));
	}
	buf_put(out, bytes, n);
}

char *
json_text(struct str value)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	cleanup_buf struct buf text = {0};

	if (value.n < 2 || value.p[0] != '"')
		return NULL;
	for (size_t i = 1; i < value.n - 1; i++) {
		char c = value.p[i];
		const char *escape;

		if (c != '\\') {
			buf_put(&text, &c, 1);
			continue;
		}
		c = value.p[++i];
		if (c == 'u' && i + 4 < value.n - 1) {
			char hex[5] = {value.p[i + 1], value.p[i + 2], value.p[i + 3],
				       value.p[i + 4], '\0'};

			/* Halves of a pair stay apart: what is read here is for people. */
			put_utf8(&text, strtoul(hex, NULL, 16));
			i += 4;
			continue;
		}
		escape = strchr(from, c);
		if (escape != NULL && c != '\0')
			c = to[escape - from];
		buf_put(&text, &c, 1);
	}
	return text.failed ? NULL : str_copy(buf_str(&text));
}

int64_t
json_number(struct str value)
{
	char text[24] = "";

	memcpy(text, value.p == NULL ? "" : value.p, value.n < 23 ? value.n : 23);
	return strtoll(text, NULL, 10);
}

void
json_put(struct buf *out, struct str text)
{
	buf_put(out, "\"", 1);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '"' || c == '\\' || c < ' ')
			buf_printf(out, "\\u%04x", c);
		else
			buf_put(out, &c, 1);
	}
	buf_put(out, "\"", 1);
}
