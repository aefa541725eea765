/* test.h: what the tests of the shim's parts have in common. */
#ifndef GANTRY_TEST_H
#define GANTRY_TEST_H

#include "shim.h"

/* Unlike assert it is there in every build, and says where. */
#define check(condition) check_at(condition, #condition, __FILE__, __LINE__)

static inline void check_at(bool holds, const char *what, const char *file, int line) {
	if (holds) return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* Directories of its own for a test, removed with all that is in them. */
static inline void remove_all(const char *path) {
	cleanup_free char *command = str_format("rm -rf '%s'", path);

	check(command != NULL && system(command) == 0);
}

#define cleanup_directory __attribute__((cleanup(remove_directory)))

static inline void remove_directory(char **path) {
	remove_all(*path);
	free(*path);
}

static inline char *new_directory(void) {
	char *path = strdup("/tmp/gantry-shim-test-XXXXXX");

	check(path != NULL && mkdtemp(path) != NULL);
	return path;
}

#endif
