/*
 * json.h: as much JSON as the shim reads: a member by its path in the OCI
 * configuration, the messages of runc's log, and its own files.
 */
#ifndef GANTRY_JSON_H
#define GANTRY_JSON_H

#include "base.h"

/* The member of an object, as it stands in the text; empty if it is not there. */
struct str json_member(struct str object, const char *name);
/* The same for a path of names; the last argument is NULL. */
struct str json_path(struct str object, ...);
/* What a string says, as a C string to be freed; NULL if it is no string. */
char *json_text(struct str value);
int64_t json_number(struct str value);
/* Append as a string, quotes and all. */
void json_put(struct buf *out, struct str text);

#endif
