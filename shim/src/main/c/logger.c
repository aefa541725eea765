/*
 * logger.c: a log program of the daemon's choice,
 * "binary:///usr/bin/logger?key=value": it gets the reading ends of the
 * process's stdout and stderr as 3 and 4, and 5 to say that it is ready,
 * which is not waited for, since what it has not read yet waits in the pipes.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_LOGGER_ARGUMENTS = 32 };

/* Decode %XX in place. */
static void
decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		char hex[3] = "";

		if (*from == '%' && from[1] != '\0' && from[2] != '\0') {
			memcpy(hex, from + 1, 2);
			*to++ = (char)strtoul(hex, NULL, 16);
			from += 2;
		} else {
			*to++ = *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
}

/* Cut "path?k=v&k" into words: path, k, v, k. */
static void
split(char *uri, const char *words[MAX_LOGGER_ARGUMENTS])
{
	char *rest = uri, *word;
	int count = 0;

	while ((word = strsep(&rest, count == 0 ? "?" : "&")) != NULL) {
		char *value = count == 0 ? NULL : strchr(word, '=');

		if (count >= MAX_LOGGER_ARGUMENTS - 2)
			break;
		if (value != NULL)
			*value++ = '\0';
		decode(word);
		words[count++] = word;
		if (value == NULL)
			continue;
		decode(value);
		words[count++] = value;
	}
	words[count] = NULL;
}

int
open_logger(struct io *io, int fds[3])
{
	cleanup_free char *uri = strdup(io->uri[1] + strlen("binary://"));
	cleanup_free char *id = str_format("CONTAINER_ID=%s", io->logger_id);
	cleanup_free char *namespace = str_format("CONTAINER_NAMESPACE=%s", io->logger_namespace);
	cleanup_close int out = -1, err = -1, ready = -1;
	const char *words[MAX_LOGGER_ARGUMENTS] = {0};
	const char *const environment[] = {id, namespace, NULL};
	int ends[3][2];
	pid_t pid;

	if (uri == NULL || id == NULL || namespace == NULL)
		return -ENOMEM;
	split(uri, words);
	for (int i = 0; i < 3; i++)
		if (pipe2(ends[i], O_CLOEXEC) < 0) {
			for (; i > 0; i--) {
				close(ends[i - 1][0]);
				close(ends[i - 1][1]);
			}
			return -EMFILE;
		}
	out = ends[0][0];
	err = ends[1][0];
	fds[1] = ends[0][1];
	fds[2] = ends[1][1];
	io->held[1] = ends[2][0]; /* who writes there must not get SIGPIPE */
	ready = ends[2][1];
	pid = spawn(&(struct spawn){
		.argv = words,
		.fds = {-1, -1, -1, out, err, ready},
		.environment = environment,
		.outlives_us = true,
	});
	if (pid < 0)
		return pid;
	io->held[2] = (int)syscall(SYS_pidfd_open, pid, 0);
	io->logger = true;
	return 0;
}

/* It sees the end of both pipes; the signal is for one that does not look. */
void
logger_end(struct io *io)
{
	if (io->logger && io->held[2] >= 0)
		syscall(SYS_pidfd_send_signal, io->held[2], SIGTERM, NULL, 0);
}
