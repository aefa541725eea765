/*
 * containerd-shim-gantry-v1: one process for a pod, which holds the streams of
 * its containers, writes their logs, and tells of their exits, whether or not
 * a daemon is there.
 *
 * It speaks containerd's Runtime v2 shim protocol:
 *
 *   -namespace NS -id ID -address SOCKET [-publish-binary PATH] [-debug] start
 *   ... [-bundle DIR] delete
 *   -info
 *   -v
 *
 * start leaves a server behind and prints its address.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Buffers above this are mapped, and given back as soon as they are freed. */
enum { MAPPED = 64 << 10 };

int
serve(const struct flags *flags, const char *socket_path, int listener)
{
	int error;

	mallopt(M_MMAP_THRESHOLD, MAPPED);
	mallopt(M_TRIM_THRESHOLD, MAPPED);
	signal(SIGPIPE, SIG_IGN);
	/* Containers must outlive whoever ends the daemon and all that it started. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	set_oom_score();
	error = loop_open();
	if (error == 0)
		error = reaper_open();
	if (error != 0)
		return error;
	events_open(flags->namespace, flags->ttrpc_address);
	calls_open(flags->namespace, socket_path, listener);
	loop_run();
	return 0;
}

/* What we were started with may not be O_CLOEXEC, and must not reach a container. */
static void
close_inherited(void)
{
	if (close_range(3, ~0u, 0) < 0)
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
}

/* Go's flags: -x value, --x value, -x=value. */
static const char *
take_flag(char **argv, int *i, const char *name)
{
	const char *word = argv[*i];
	size_t n = strlen(name);

	if (*word++ != '-')
		return NULL;
	word += *word == '-';
	if (strncmp(word, name, n) != 0)
		return NULL;
	if (word[n] == '=')
		return word + n + 1;
	if (word[n] != '\0' || argv[*i + 1] == NULL)
		return NULL;
	return argv[++*i];
}

static const char *
parse(char **argv, struct flags *flags, bool *info, bool *version)
{
	struct {
		const char *name;
		const char **value;
	} known[] = {
		{"namespace", &flags->namespace}, {"id", &flags->id},
		{"address", &flags->address},	  {"publish-binary", &flags->publish_binary},
		{"bundle", &flags->bundle},
	};
	const char *action = "";

	for (int i = 1; argv[i] != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(*known) && !found; k++) {
			const char *value = take_flag(argv, &i, known[k].name);

			if (value != NULL)
				*known[k].value = value;
			found = value != NULL;
		}
		if (found)
			continue;
		if (strcmp(argv[i], "-info") == 0 || strcmp(argv[i], "--info") == 0)
			*info = true;
		else if (strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "--v") == 0)
			*version = true;
		else if (argv[i][0] != '-')
			action = argv[i];
	}
	return action;
}

static int
act(const char *action, const struct flags *flags)
{
	if (!is_identifier(str_of(flags->id)) || !is_identifier(str_of(flags->namespace)))
		return -EINVAL;
	if (strcmp(action, "start") == 0)
		return action_start(flags);
	if (strcmp(action, "delete") == 0)
		return action_delete(flags);
	return -ENOSYS;
}

int
main(int argc, char **argv)
{
	struct flags flags = {.namespace = "", .id = "", .address = ""};
	bool info = false, version = false;
	const char *action = parse(argv, &flags, &info, &version);
	int error;

	(void)argc;
	close_inherited();
	umask(022);
	if (version) {
		printf("%s:\n  Version: %s\n", argv[0], VERSION);
		return 0;
	}
	flags.ttrpc_address = getenv("TTRPC_ADDRESS");
	if (flags.ttrpc_address == NULL)
		flags.ttrpc_address = "";
	error = info ? action_info() : act(action, &flags);
	if (error == 0)
		return 0;
	fprintf(stderr, "containerd-shim-gantry-v1: %s %s: %s\n", info ? "-info" : action, flags.id,
		strerror(-error));
	return 1;
}
