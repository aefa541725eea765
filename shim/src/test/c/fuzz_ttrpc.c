/* fuzz_ttrpc.c: what a client sends on a connection, until it hangs up. */
#include "test.h"

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static LIST_HEAD(waiting_calls);

int serve_call(struct call *call, const struct request *request) {
	cleanup_arena struct arena arena = {0};
	struct create_request message;

	if (pb_decode(&pb_create_request, &message, request->payload, &arena) < 0)
		return call_fail(call, INVALID_ARGUMENT, "%.*s", (int)request->method.n,
				 request->method.p);
	if (message.terminal) {
		list_append(&waiting_calls, &call->waiting);
		return 0;
	}
	return REPLY(call, create_response, message.options.value.n);
}

void serve_clients(void) {
	if (!ttrpc_clients()) loop_end();
}

static void start(void) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "gantry-fuzz-%d", getpid());
	check(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
	signal(SIGPIPE, SIG_IGN);
	check(loop_open() == 0 && ttrpc_serve(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static bool started;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!started) start();
	started = true;
	check(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	check(write(fd, data, size) == (ssize_t)size && shutdown(fd, SHUT_WR) == 0);
	loop_run();
	check(list_empty(&waiting_calls));
	close(fd);
	return 0;
}
