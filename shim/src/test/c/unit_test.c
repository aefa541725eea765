/* unit_test.c: the parts of the shim that need neither runc nor a daemon. */
#include "test.h"

/* ---- what the parts under test call, and is not linked here ---- */

static int calls_served;
static LIST_HEAD(waiting_calls);

int serve_call(struct call *call, const struct request *request) {
	calls_served++;
	if (str_is(request->method, "Fail")) return call_fail(call, NOT_FOUND, "no %d", 7);
	if (str_is(request->method, "Wait")) {
		list_append(&waiting_calls, &call->waiting);
		return 0;
	}
	return REPLY(call, wait_response, 5, {1, 2});
}

void serve_clients(void) {
	if (!ttrpc_clients()) loop_end();
}

/* ---- base.c ---- */

static void test_text(void) {
	struct str rest = STR("a,,b");
	char text[] = "%41%2f%00%zz%4";

	check(str_is(str_cut(&rest, ','), "a") && str_is(str_cut(&rest, ','), ""));
	check(str_is(str_cut(&rest, ','), "b") && rest.n == 0 && str_is(str_cut(&rest, ','), ""));
	percent_decode(text);
	check(strcmp(text, "A/%00%zz%4") == 0);
	check(str_copy((struct str){"a\0b", 3}) == NULL);
	check(strcmp(after("file:///x", "file://"), "/x") == 0 && after("fil", "file") == NULL);
	check(is_identifier(STR("a-b_c.d+9")) && !is_identifier(STR("../x")));
	check(!is_identifier(STR("")) && !is_identifier(STR("-x")) && !is_identifier(STR("a/b")));
}

static void test_buffers(void) {
	struct buf b = {0};
	static const char big[10000] = {0};

	buf_put(&b, "hello", 5);
	buf_drop(&b, 2);
	check(str_is(buf_str(&b), "llo"));
	buf_put(&b, big, sizeof(big));
	buf_drop(&b, b.len);
	check(b.data == NULL && b.cap == 0); /* large ones give their memory back */
	buf_free(&b);
}

static void test_files(void) {
	cleanup_directory char *path = new_directory();
	cleanup_close int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;

	check(publish_file(directory, "x", STR("one"), true) == 0);
	check(publish_file(directory, "x", STR("two"), false) == 0);
	text = read_text(directory, "x");
	check(text != NULL && strcmp(text, "two") == 0);
	check(faccessat(directory, ".x.tmp", F_OK, 0) < 0);
	check(read_text(directory, "y") == NULL && errno == ENOENT);
	check(publish_file(directory, "no/x", STR("one"), false) == -ENOENT);
}

/* ---- json.c ---- */

static void test_json(void) {
	static const char document[] =
		"{ \"a\" : \"x\\\"b\\\":1\", \"b\": \"t\\u00e9\\n\\\\u0041\","
		"\"n\":17,\"end\":\"open";
	cleanup_free char *a = json_text(json_member(document, "a"));
	cleanup_free char *b = json_text(json_member(document, "b"));

	check(a != NULL && strcmp(a, "x\"b\":1") == 0);
	check(b != NULL && strcmp(b, "t\xc3\xa9\n\\u0041") == 0);
	check(strtol(json_member(document, "n"), NULL, 10) == 17);
	check(json_member(document, "c") == NULL && json_text(json_member(document, "n")) == NULL);
	check(json_text(json_member(document, "end")) == NULL && json_text(NULL) == NULL);
	check(json_member(NULL, "a") == NULL && json_member("a", "a") == NULL);
}

/* ---- pb.c ---- */

static void test_codec(void) {
	struct kill_request in = {STR("id"), {0}, 9, 1}, out;
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf data = {0};
	struct mount mount;

	pb_encode(&pb_kill_request, &in, &data);
	check(data.len == 8 && memcmp(data.data, "\x0a\x02id\x18\x09\x20\x01", 8) == 0);
	buf_put(&data, "\xd2\x29\x01x\xd9\x29zzzzzzzz\xdd\x29zzzz", 20); /* unknown fields */
	check(pb_decode(&pb_kill_request, &out, buf_str(&data), &arena) == 0);
	check(str_is(out.id, "id") && out.signal == 9 && out.all == 1 && out.exec_id.n == 0);
	for (size_t n = 1; n < 8; n++) /* cut short in the middle of a field or after one */
		check(pb_decode(&pb_kill_request, &out, (struct str){(char *)data.data, n},
				&arena) == (n == 4 || n == 6 ? 0 : -EBADMSG));
	check(pb_decode(&pb_kill_request, &out, STR("\x08\x01"), &arena) == -EBADMSG);
	check(pb_decode(&pb_kill_request, &out, STR("\x00\x01"), &arena) == -EBADMSG);
	check(pb_decode(&pb_kill_request, &out, STR("\x0b"), &arena) == -EBADMSG);
	check(pb_decode(&pb_mount, &mount, STR("\x22\x01x\x22\x00"), &arena) == 0);
	check(mount.options.count == 2 && str_is(*(struct str *)mount.options.items, "x"));
}

static void test_numbers(void) {
	struct status in = {-5, {0}}, out;
	struct v2_pressure pressure = {1.5, 0, 0, UINT64_MAX}, back;
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf data = {0}, more = {0};

	pb_encode(&pb_status, &in, &data);
	check(data.len == 11); /* negative numbers have ten bytes */
	check(pb_decode(&pb_status, &out, buf_str(&data), &arena) == 0 && out.code == -5);
	pb_encode(&pb_v2_pressure, &pressure, &more);
	check(pb_decode(&pb_v2_pressure, &back, buf_str(&more), &arena) == 0);
	check(memcmp(&back, &pressure, sizeof(back)) == 0);
}

/* Two bytes of input must not become a struct without a limit. */
static void test_repeated(void) {
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf data = {0};
	struct pids_response out;

	for (int i = 0; i < 4096; i++)
		buf_put(&data, "\x0a\x00", 2);
	check(pb_decode(&pb_pids_response, &out, buf_str(&data), &arena) == 0);
	check(out.processes.count == 4096);
	buf_put(&data, "\x0a\x00", 2);
	check(pb_decode(&pb_pids_response, &out, buf_str(&data), &arena) == -EBADMSG);
}

/* ---- bundle.c ---- */

static void test_exits(void) {
	cleanup_directory char *path = new_directory();
	struct container c = {.id = strdup("c")};
	struct process p = {.container = &c, .pid = 77, .exit_status = 3};
	struct delete_response found = {0};

	c.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.exited_at = (struct timestamp){1700000000, 42};
	check(exit_load(c.directory, &found) != 0);
	exit_save(&p);
	check(exit_load(c.directory, &found) == 0);
	check(found.pid == 77 && found.exit_status == 3);
	check(found.exited_at.seconds == 1700000000 && found.exited_at.nanos == 42);
	check(publish_file(c.directory, "exit.json",
			   STR("{\"Timestamp\":\"2026-01-02T03:04:05Z\",\"Pid\":77,\"Status\":3,"
			       "\"BootID\":\"another\"}"),
			   false) == 0);
	check(exit_load(c.directory, &found) == -ESTALE); /* from before a reboot */
	exit_remove(&p);
	check(faccessat(c.directory, "exit.json", F_OK, 0) < 0);
	p.exec_id = strdup("e");
	exit_save(&p);
	check(faccessat(c.directory, "e.exit.json", F_OK, 0) == 0);
	close(c.directory);
	free(c.id);
	free(p.exec_id);
}

static void test_settings(void) {
	cleanup_directory char *path = new_directory();
	cleanup_close int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct any none = {0}, other = {STR("runtimeoptions.v1.Options"), {0}};
	struct any wrong = {STR("x.Options"), {0}},
		   bad = {STR("containerd.runc.v1.Options"), STR("\x0b")};
	struct settings s, back;
	bool systemd = access("/run/systemd/system", F_OK) == 0;

	check(settings_read(&s, &wrong, "ns", directory) == -EINVAL);
	check(settings_read(&s, &bad, "ns", directory) == -EBADMSG);
	check(settings_read(&s, &other, "ns", directory) == 0 && !s.systemd_cgroup);
	settings_free(&s);
	check(publish_file(directory, "config.json",
			   STR("{\"linux\":{\"cgroupsPath\":\"a.slice:cri:b\"}}"), false) == 0);
	check(settings_read(&s, &none, "ns", directory) == 0 && s.systemd_cgroup == systemd);
	check(strcmp(s.binary, "runc") == 0 && strcmp(s.root, "/run/containerd/runc/ns") == 0);
	check(settings_save(&s, directory) == 0 && settings_load(&back, "ns", directory) == 0);
	check(strcmp(back.root, s.root) == 0 && back.systemd_cgroup == systemd);
	settings_free(&s);
	settings_free(&back);
}

/* ---- log.c ---- */

static void write_log(struct log *log, struct stream *stream, const char *text) {
	log_write(log, stream, (const uint8_t *)text, strlen(text));
}

/* Count the lines of the file; TEXT takes what they say, without stamps. */
static int read_log(const char *path, char text[static 1000]) {
	cleanup_free char *file = read_text(AT_FDCWD, path);
	struct str rest = str_of(file);
	int lines = 0;

	for (*text = '\0'; rest.n > 0; lines++) {
		struct str line = str_cut(&rest, '\n');

		check(line.n >= 40 && line.p[29] == 'Z' && line.p[30] == ' ');
		check(strlen(text) + line.n < 1000);
		strncat(text, line.p + 31, line.n - 31);
		strcat(text, "|");
	}
	return lines;
}

static void test_log(void) {
	cleanup_directory char *path = new_directory();
	cleanup_free char *uri = str_format("%s/a%%3fb?max_line=4&x=1", path);
	cleanup_free char *file = str_format("%s/a?b", path), *moved = str_format("%s/old", path);
	struct stream out = {.number = 1}, err = {.number = 2};
	struct log *log = NULL;
	char text[1000];

	check(log_open(&log, "relative") == -EINVAL && log_open(&log, "/no/such/x") == -ENOENT);
	check(log_open(&log, uri) == 0);
	write_log(log, &out, "ab");
	write_log(log, &err, "e\r\n\xff\n");
	write_log(log, &out, "cd\nefghij\n");
	write_log(log, &out, "end");
	log_end(log, &out);
	check(read_log(file, text) == 6 && log->counters.lines == 6);
	check(strcmp(text, "stderr F e\r|stderr F \xff|stdout F abcd|stdout P efgh|stdout F ij|"
			   "stdout P end|") == 0);
	check(rename(file, moved) == 0 && log_reopen(log) == 0 && access(file, F_OK) == 0);
	write_log(log, &err, "new\n");
	check(read_log(file, text) == 1 && strcmp(text, "stderr F new|") == 0);
	log_end(log, &err);
	log_free(log);
}

static void test_full_disk(void) {
	struct stream out = {.number = 1};
	struct log *log = NULL;

	check(log_open(&log, "/dev/full") == 0);
	write_log(log, &out, "lost\n");
	check(log->counters.lost_bytes == 45 && log->counters.bytes == 0 && log->reported);
	log_end(log, &out);
	log_free(log);
}

static void test_rotation(void) {
	cleanup_directory char *path = new_directory();
	cleanup_free char *uri = str_format("%s/l?max_size=100&max_files=2", path);
	cleanup_free char *file = str_format("%s/l", path), *old = str_format("%s/l.1", path);
	struct stream out = {.number = 1};
	struct log *log = NULL;
	char text[1000];

	check(log_open(&log, uri) == 0);
	for (char c = 'a'; c <= 'f'; c++)
		write_log(log, &out, (char[]){c, c, c, '\n', '\0'});
	check(read_log(old, text) == 2 && strcmp(text, "stdout F ccc|stdout F ddd|") == 0);
	check(read_log(file, text) == 2 && strcmp(text, "stdout F eee|stdout F fff|") == 0);
	log_end(log, &out);
	log_free(log);
}

/* ---- channel.c ---- */

static int taken, closed;

static int take_all(struct channel *channel) {
	taken += (int)channel->in.len;
	buf_drop(&channel->in, channel->in.len);
	return 0;
}

static void note_closed(struct channel *channel) {
	closed++;
	channel_close(channel);
	loop_end();
}

static void wake_up(struct timer *timer) {
	timer_stop(timer);
	loop_end();
}

static void test_channel(void) {
	struct channel c = {.take = take_all, .closed = note_closed};
	static const char much[1 << 20] = {0};
	char back[4096];
	size_t got = 0;
	ssize_t n;
	int ends[2];

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	check(channel_open(&c, ends[0]) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
	buf_put(&c.out, much, sizeof(much));
	channel_send(&c);
	check(c.out.len > 0 && c.out.len < sizeof(much)); /* the rest waits */
	channel_end(&c);
	check(closed == 0);
	while (closed == 0) {
		struct timer timer = {.fire = wake_up};

		while ((n = read(ends[1], back, sizeof(back))) > 0)
			got += (size_t)n;
		timer_start(&timer, 1);
		loop_run();
		timer_stop(&timer);
	}
	while ((n = read(ends[1], back, sizeof(back))) > 0)
		got += (size_t)n;
	check(got == sizeof(much) && taken == 0);
	close(ends[1]);
}

/* ---- ttrpc.c ---- */

static struct sockaddr_un server = {.sun_family = AF_UNIX};

/*
 * Send the bytes on a connection of its own, and return all that is answered
 * until it is closed.  Another process does so, as there is more than a socket
 * holds.
 */
static struct buf talk(const struct buf *in) {
	struct buf answer = {0};
	int answers[2], status;

	check(pipe2(answers, O_CLOEXEC) == 0);
	pid_t client = fork();
	if (client == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0) _exit(1);
		write_all(fd, buf_str(in)); /* it may be cut off */
		shutdown(fd, SHUT_WR);
		read_fd(fd, &answer, 1 << 20);
		_exit(write_all(answers[1], buf_str(&answer)) == 0 ? 0 : 1);
	}
	close(answers[1]);
	loop_run();
	check(read_fd(answers[0], &answer, 1 << 20) == 0);
	check(waitpid(client, &status, 0) == client && status == 0);
	close(answers[0]);
	return answer;
}

static void put_request(struct buf *out, uint32_t stream, const char *method) {
	struct request request = {.service = STR("s"), .method = str_of(method)};
	uint8_t head[FRAME_HEADER] = {[8] = FRAME_REQUEST};
	cleanup_buf struct buf data = {0};

	pb_encode(&pb_request, &request, &data);
	put_u32(head, (uint32_t)data.len);
	put_u32(head + 4, stream);
	buf_put(out, head, sizeof(head));
	buf_put(out, data.data, data.len);
}

/* Take the first response; its code. */
static int64_t next_response(struct buf *answer, uint32_t stream) {
	cleanup_arena struct arena arena = {0};
	struct response response;
	struct frame frame;

	check(answer->len >= FRAME_HEADER);
	frame = parse_frame(answer->data);
	check(frame.stream == stream && frame.type == FRAME_RESPONSE);
	check(answer->len >= FRAME_HEADER + frame.length);
	check(pb_decode(&pb_response, &response,
			(struct str){(char *)answer->data + FRAME_HEADER, frame.length},
			&arena) == 0);
	int64_t code = response.status.code;
	buf_drop(answer, FRAME_HEADER + frame.length);
	return code;
}

static void test_ttrpc(void) {
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cleanup_buf struct buf in = {0}, out = {0}, garbage = {0}, large = {0};

	snprintf(server.sun_path + 1, sizeof(server.sun_path) - 1, "gantry-shim-test-%d", getpid());
	check(bind(listener, (struct sockaddr *)&server, sizeof(server)) == 0);
	check(listen(listener, 8) == 0 && ttrpc_serve(listener) == 0);
	put_request(&in, 1, "Do");
	put_request(&in, 3, "Fail");
	put_request(&in, 5, "Wait"); /* is still open when the client goes */
	out = talk(&in);
	check(next_response(&out, 1) == 0 && next_response(&out, 3) == NOT_FOUND && out.len == 0);
	check(calls_served == 3);
	buf_free(&out);
	put_request(&in, 3, "Do"); /* numbers of streams grow, and this closes the connection */
	out = talk(&in);
	check(calls_served == 6);
	buf_free(&out);
	buf_put(&garbage, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", FRAME_HEADER);
	out = talk(&garbage);
	check(out.len == 0 && calls_served == 6);
	buf_free(&out);
	garbage.len = 0; /* a length that is 0 when the header's is added in 32 bits */
	buf_put(&garbage, "\xff\xff\xff\xf6\x00\x00\x00\x01\x01\x00", FRAME_HEADER);
	out = talk(&garbage);
	check(next_response(&out, 1) == RESOURCE_EXHAUSTED && out.len == 0);
	buf_free(&out);
	/* A message over 4 MiB is refused, and what follows it is served. */
	buf_put(&large, "\x00\x40\x00\x01\x00\x00\x00\x01\x01\x00", FRAME_HEADER);
	memset(buf_room(&large, (4 << 20) + 1), 0, (4 << 20) + 1);
	large.len += (4 << 20) + 1;
	put_request(&large, 3, "Do");
	out = talk(&large);
	check(next_response(&out, 1) == RESOURCE_EXHAUSTED && next_response(&out, 3) == 0);
	check(out.len == 0 && calls_served == 7 && list_empty(&waiting_calls));
}

int main(void) {
	static void (*const tests[])(void) = {
		test_text,	test_buffers,  test_files,   test_json,	    test_codec,
		test_numbers,	test_repeated, test_exits,   test_settings, test_log,
		test_full_disk, test_rotation, test_channel, test_ttrpc};

	signal(SIGPIPE, SIG_IGN);
	check(loop_open() == 0);
	for (size_t i = 0; i < count_of(tests); i++)
		tests[i]();
	return 0;
}
