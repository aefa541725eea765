/* json.c: as much JSON as the shim reads. Text that is none makes a member absent. */
#include "shim.h"

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* What follows the string that begins here; NULL if it has no end. */
static const char *skip_string(const char *at)
{
	for (at++; *at != '"'; at++)
		if (*at == '\0' || (*at == '\\' && *++at == '\0'))
			return NULL;
	return at + 1;
}

static const char *skip_value(const char *at)
{
	int depth = 0;

	do {
		at = skip_space(at);
		if (*at == '"') {
			at = skip_string(at);
			if (at == NULL)
				return NULL;
			continue;
		}
		depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
		at += strchr("{}[],:", *at) != NULL ? *at != '\0'
						    : (long)strcspn(at, "{}[],:\" \t\r\n");
	} while (depth > 0 && *at != '\0');
	return depth == 0 ? at : NULL;
}

const char *json_member(const char *at, const char *name)
{
	size_t n = strlen(name);

	at = at == NULL ? "" : skip_space(at);
	if (*at != '{')
		return NULL;
	do {
		const char *key = skip_space(at + 1);
		const char *end = *key == '"' ? skip_string(key) : NULL;

		at = end == NULL ? "" : skip_space(end);
		if (*at != ':')
			return NULL;
		at = skip_space(at + 1);
		if ((size_t)(end - key) == n + 2 && memcmp(key + 1, name, n) == 0)
			return at;
		at = skip_value(at);
		at = at == NULL ? "" : skip_space(at);
	} while (*at == ',');
	return NULL;
}

/* Halves of a pair stay apart: what is read here is for people. */
static char *put_utf8(char *to, unsigned long c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

char *json_text(const char *value)
{
	static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
	const char *end = value == NULL || *value != '"' ? NULL : skip_string(value);
	char *text = end == NULL ? NULL : malloc((size_t)(end - value)), *to = text;

	for (const char *at = value + 1; text != NULL && at < end - 1; at++) {
		const char *escape;
		char hex[5] = "", *stop;

		if (*at != '\\') {
			*to++ = *at;
			continue;
		}
		at++;
		if (*at == 'u')
			memccpy(hex, at + 1, '\0', 4);
		if (strtoul(hex, &stop, 16) > 0 && stop == hex + 4) {
			to = put_utf8(to, strtoul(hex, NULL, 16));
			at += 4;
			continue;
		}
		escape = strchr(from, *at);
		*to++ = escape != NULL ? into[escape - from] : *at;
	}
	if (text != NULL)
		*to = '\0';
	return text;
}
