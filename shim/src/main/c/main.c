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
 * start leaves a server behind and prints its address.  And it does for our
 * daemon what a JVM cannot do well:
 *
 *   read ROOT FILE: prints a file of a container, with ROOT as the root for
 *                   all links on the way
 *   pin USERS GROUPS USER-FILE [NET-FILE]: makes namespaces (pin.c)
 */
#include "shim.h"

#include <getopt.h>
#include <malloc.h>

/* Buffers above this are mapped, and given back as soon as they are freed. */
enum { MAPPED = 64 << 10 };

const char *our_namespace = "";

int serve(const char *ttrpc_address, const char *socket_path, int listener) {
	int error;

	mallopt(M_MMAP_THRESHOLD, MAPPED);
	mallopt(M_TRIM_THRESHOLD, MAPPED);
	/* Containers must outlive whoever ends the daemon and all that it started. */
	for (size_t i = 0; i < count_of(ignored_signals); i++)
		signal(ignored_signals[i], SIG_IGN);
	set_limits();
	setenv("CONTAINER_NAMESPACE", our_namespace, true); /* for loggers */
	error = loop_open();
	if (error == 0) error = reaper_open();
	if (error != 0) return error;
	events_open(ttrpc_address);
	calls_open(socket_path, listener);
	loop_run();
	return 0;
}

/* What we were started with may not be O_CLOEXEC, and must not reach a container. */
static void close_inherited(void) {
	if (close_range(3, ~0u, 0) < 0)
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
}

/* With the action's name, and whether it is about a container. */
static const struct action {
	const char *name;
	bool container;
	int (*act)(const struct flags *flags);
} actions[] = {
	{"start", true, action_start}, {"delete", true, action_delete},
	{"-info", false, action_info}, {"read", false, action_read},
	{"pin", false, action_pin},
};

/* What to do; also "-v", and NULL if it cannot be understood. */
static const char *parse(int argc, char **argv, struct flags *flags) {
	enum { INFO = 1, VERSION_FLAG, PASSED_OVER, NAMESPACE, ID, ADDRESS, BUNDLE };
	static const struct option known[] = {
		{"namespace", required_argument, NULL, NAMESPACE},
		{"id", required_argument, NULL, ID},
		{"address", required_argument, NULL, ADDRESS},
		{"bundle", required_argument, NULL, BUNDLE},
		{"publish-binary", required_argument, NULL, PASSED_OVER},
		{"socket", required_argument, NULL, PASSED_OVER},
		{"debug", no_argument, NULL, PASSED_OVER},
		{"info", no_argument, NULL, INFO},
		{"v", no_argument, NULL, VERSION_FLAG},
		{0}};
	const char **values[] = {[NAMESPACE] = &flags->namespace,
				 [ID] = &flags->id,
				 [ADDRESS] = &flags->address,
				 [BUNDLE] = &flags->bundle};
	const char *action = NULL;
	int found;

	while ((found = getopt_long_only(argc, argv, "", known, NULL)) != -1)
		if (found >= NAMESPACE && found <= BUNDLE)
			*values[found] = optarg;
		else if (found != PASSED_OVER)
			action = found == INFO ? "-info" : found == VERSION_FLAG ? "-v" : "";
	flags->operands = argv + optind + (argv[optind] != NULL);
	return action != NULL ? action : argv[optind];
}

int main(int argc, char **argv) {
	struct flags flags = {.namespace = "", .id = "", .address = ""};
	const char *name = parse(argc, argv, &flags);
	int error = -ENOSYS;

	close_inherited();
	umask(022);
	if (name != NULL && strcmp(name, "-v") == 0) {
		printf("%s:\n  Version: %s\n", argv[0], VERSION);
		return 0;
	}
	flags.ttrpc_address = getenv("TTRPC_ADDRESS");
	if (flags.ttrpc_address == NULL) flags.ttrpc_address = "";
	our_namespace = flags.namespace;
	for (size_t i = 0; i < count_of(actions) && name != NULL; i++)
		if (strcmp(name, actions[i].name) == 0)
			error = actions[i].container && (!is_identifier(str_of(flags.id)) ||
							 !is_identifier(str_of(flags.namespace)))
					? -EINVAL
					: actions[i].act(&flags);
	if (error != 0)
		fprintf(stderr, "containerd-shim-gantry-v1: %s %s: %s\n", name == NULL ? "" : name,
			flags.id, strerror(-error));
	return error != 0;
}
