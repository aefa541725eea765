/*
 * json.c: as much JSON as the shim reads: members of the OCI configuration, of
 * runc's log and of our own files, by their name alone.  Inside a string its
 * quotes have backslashes, so that what stands there is never taken for one.
 */
#include "shim.h"

const char *json_member(const char *text, const char *name) {
	size_t n = strlen(name);

	for (const char *at = text; at != NULL && (at = strstr(at, name)) != NULL; at += n) {
		const char *value = at + n + 1 + (at[n] == '"' ? strspn(at + n + 1, " \t\r\n") : 0);

		if (at > text && at[-1] == '"' && at[n] == '"' && *value == ':')
			return value + 1 + strspn(value + 1, " \t\r\n");
	}
	return NULL;
}

/* Halves of a pair stay apart: what is read here is for people. */
static char *put_utf8(char *to, unsigned long c) {
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

char *json_text(const char *value) {
	static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
	char *text = value == NULL || *value != '"' ? NULL : malloc(strlen(value)), *to = text;

	if (text == NULL) return NULL;
	for (const char *at = value + 1; *at != '"'; at++) {
		bool escaped = *at == '\\';
		const char *escape = escaped ? strchr(from, *++at) : NULL;
		char hex[5] = "", *end;

		if (*at == '\0') { /* it has no end */
			free(text);
			return NULL;
		}
		if (escaped && *at == 'u') memccpy(hex, at + 1, '\0', 4);
		unsigned long c = strtoul(hex, &end, 16);
		if (c > 0 && end == hex + 4) {
			to = put_utf8(to, c);
			at += 4;
		} else {
			*to++ = escape != NULL ? into[escape - from] : *at;
		}
	}
	*to = '\0';
	return text;
}
