/* actions.c: what the binary does when a daemon runs it: start, delete, -info. */
#include "shim.h"

#include <sys/file.h>

enum { MAX_INPUT = 10 << 20, MAX_FEATURES = 1 << 20 };

/* How a daemon asked, which decides how it is answered. */
struct question {
	struct buf input;
	struct arena arena;
	struct bootstrap_params params;
	bool bootstrap;
	struct any options;
};

static void read_question(struct question *q, const struct flags *flags) {
	if (read_fd(STDIN_FILENO, &q->input, MAX_INPUT) < 0) q->input.len = 0;
	/* An Any of options has its type where BootstrapParams have the id. */
	q->bootstrap =
		pb_decode(&pb_bootstrap_params, &q->params, buf_str(&q->input), &q->arena) == 0 &&
		str_is(q->params.instance_id, flags->id) &&
		str_is(q->params.namespace, flags->namespace);
	if (!q->bootstrap) {
		if (pb_decode(&pb_any, &q->options, buf_str(&q->input), &q->arena) < 0)
			q->options = (struct any){0};
		return;
	}
	for (size_t i = 0; i < q->params.extensions.count; i++) {
		const struct extension *e = (struct extension *)q->params.extensions.items + i;

		if (str_is(e->value.type_url, pb_runc_options.name)) q->options = e->value;
	}
}

/* The pod that the container belongs to, or the container itself. */
static char *read_group(const char *id) {
	static const char *const names[] = {"io.containerd.runc.v2.group",
					    "io.kubernetes.cri.sandbox-id"};
	cleanup_free char *config = read_text(AT_FDCWD, "config.json");
	const char *annotations = json_member(config, "annotations");

	for (size_t i = 0; i < count_of(names); i++) {
		char *group = json_text(json_member(annotations, names[i]));

		if (group != NULL && *group != '\0') return group;
		free(group);
	}
	return strdup(id);
}

static unsigned long long hash(uint64_t seed, const char *const parts[3]) {
	for (int i = 0; i < 3; i++) {
		for (const char *c = parts[i]; *c != '\0'; c++)
			seed = (seed ^ (uint8_t)*c) * 0x100000001b3u;
		seed = (seed ^ '/') * 0x100000001b3u;
	}
	return seed;
}

/*
 * The same for all containers of a pod of a daemon; short, since the path of a
 * socket is.  Not the name containerd's own shim would have: a pod that
 * changes its handler must not find the other's.
 */
static char *socket_path(const struct question *q, const struct flags *flags) {
	cleanup_free char *group = read_group(flags->id);
	const char *const parts[] = {flags->address, flags->namespace, group == NULL ? "" : group};
	struct str directory = q->params.socket_dir;

	if (!q->bootstrap || directory.n == 0 || *directory.p != '/')
		directory = STR("/run/containerd/s");
	return group == NULL ? NULL
			     : str_format("%.*s/g%016llx%016llx", (int)directory.n, directory.p,
					  hash(0xcbf29ce484222325u, parts),
					  hash(0x84222325cbf29ce4u, parts));
}

/* The directory of PATH, which is made, with that above it. */
static int open_directory(const char *path) {
	cleanup_free char *copy = strdup(path);
	char *slash = copy == NULL ? NULL : strrchr(copy, '/'), *above;

	if (slash == NULL) return -ENOMEM;
	*slash = '\0';
	above = strrchr(copy, '/');
	*above = '\0';
	mkdir(copy, 0711);
	*above = '/';
	mkdir(copy, 0700);
	return open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * A listening socket, or -EADDRINUSE if the pod's shim is there already.  The
 * directory's lock makes one of two that start at the same time the first.
 */
static int listen_at(const char *path) {
	cleanup_close int directory = open_directory(path), fd = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int made;

	if (directory < 0) return -errno;
	if (strlen(path) >= sizeof(address.sun_path)) return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	flock(directory, LOCK_EX);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -errno;
	/* EAGAIN is of one that has many clients waiting. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	unlink(path);
	umask(0177);
	made = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(022);
	if (made < 0 || listen(fd, 128) < 0) return -errno;
	made = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return made < 0 ? -errno : made;
}

/* Only in the child: the daemon waits for the end of stdout and stderr. */
static int leave_the_daemon(void) {
	/* Opened for both, so that it neither waits for a reader nor breaks without one. */
	cleanup_close int log = open("log", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0) return -errno;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log < 0 ? null : log, STDERR_FILENO);
	return setsid() < 0 ? -errno : 0;
}

static _Noreturn void become_server(struct question *q, const struct flags *flags, const char *path,
				    int listener) {
	cleanup_arena struct arena arena = {0};
	cleanup_free char *cgroup = NULL;
	const char *address = flags->ttrpc_address;
	struct runc_options options;
	int error = leave_the_daemon();

	if (runc_options(&options, &q->options, &arena) == 0 && options.shim_cgroup.n > 0) {
		cgroup = str_copy(options.shim_cgroup);
		if (cgroup != NULL && cgroup_join(cgroup) != 0)
			log_warn("cannot join the cgroup %s", cgroup);
	}
	if (q->params.containerd_ttrpc_address.n > 0 && q->bootstrap)
		address = str_copy(q->params.containerd_ttrpc_address);
	buf_free(&q->input);
	arena_free(&q->arena);
	if (error == 0 && address != NULL) error = serve(address, path, listener);
	exit(error == 0 ? 0 : 1);
}

static int answer(const struct question *q, const char *path) {
	cleanup_free char *address = str_format("unix://%s", path);
	cleanup_buf struct buf reply = {0};
	/* Without it containerd asks for the capabilities with -info and an empty stdin. */
	struct extension none = {{STR("containerd.types.MountCapabilities"), {0}}};
	struct bootstrap_result result = {3, str_of(address), STR("ttrpc"), {&none, 1}};
	int error;

	if (address == NULL) return -ENOMEM;
	if (!q->bootstrap) {
		error = publish_file(AT_FDCWD, "address", str_of(address), false);
		return error != 0 ? error : write_all(STDOUT_FILENO, str_of(address));
	}
	pb_encode(&pb_bootstrap_result, &result, &reply);
	return reply.failed ? -ENOMEM : write_all(STDOUT_FILENO, buf_str(&reply));
}

int action_start(const struct flags *flags) {
	cleanup_free char *path = NULL;
	struct question q = {0};
	int listener, error;

	read_question(&q, flags);
	path = socket_path(&q, flags);
	listener = path == NULL ? -ENOMEM : listen_at(path);
	error = listener == -EADDRINUSE ? 0 : listener;
	if (listener >= 0) {
		pid_t pid = fork();

		if (pid == 0) become_server(&q, flags, path, listener);
		error = pid < 0 ? -errno : 0;
	}
	if (error == 0) error = answer(&q, path);
	buf_free(&q.input);
	arena_free(&q.arena);
	return error;
}

/* In the bundle, which is where the daemon runs it, but the flag wins. */
int action_delete(const struct flags *flags) {
	bool named = flags->bundle != NULL && *flags->bundle == '/';
	cleanup_free char *place = named ? strdup(flags->bundle) : getcwd(NULL, 0);
	cleanup_close int bundle =
		place == NULL ? -1 : open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct delete_response record;
	cleanup_buf struct buf reply = {0};
	struct settings settings;
	int error;

	if (bundle < 0) return -errno;
	if (exit_load(bundle, &record) != 0) record = (struct delete_response){0, 137, now_stamp()};
	error = settings_load(&settings, flags->namespace, bundle);
	if (error != 0) return error;
	spawn_runc(&settings, "/dev/null", WORDS("delete", "--force", flags->id),
		   &(struct spawn){0});
	wait(NULL);
	settings_free(&settings);
	error = rootfs_unmount(place);
	if (error != 0) return error;
	pb_encode(&pb_delete_response, &record, &reply);
	return reply.failed ? -ENOMEM : write_all(STDOUT_FILENO, buf_str(&reply));
}

/* What runc says of its features; nothing if it is too old to know the command. */
static void read_features(const struct any *options, struct buf *out) {
	cleanup_arena struct arena arena = {0};
	cleanup_free char *binary = NULL;
	struct runc_options o;
	int ends[2], status = 0;
	pid_t pid;

	if (runc_options(&o, options, &arena) == 0 && o.binary_name.n > 0)
		binary = str_copy(o.binary_name);
	if (pipe2(ends, O_CLOEXEC) < 0) return;
	pid = spawn(&(struct spawn){
		.argv = WORDS(binary == NULL ? "runc" : binary, "features"),
		.fds = {-1, ends[1], -1},
		.count = 3,
	});
	close(ends[1]);
	if (pid < 0 || read_fd(ends[0], out, MAX_FEATURES) < 0 || waitpid(pid, &status, 0) != pid ||
	    status != 0)
		out->len = 0;
	close(ends[0]);
}

int action_info(const struct flags *flags) {
	cleanup_buf struct buf input = {0}, features = {0}, reply = {0};
	cleanup_arena struct arena arena = {0};
	struct runtime_info info = {
		.name = STR("io.containerd.gantry.v1"),
		.version = {STR(VERSION), {0}},
	};

	(void)flags;
	if (read_fd(STDIN_FILENO, &input, MAX_INPUT) < 0 ||
	    pb_decode(&pb_any, &info.options, buf_str(&input), &arena) < 0)
		info.options = (struct any){0};
	read_features(&info.options, &features);
	if (features.len > 0)
		info.features = (struct any){
			STR("types.containerd.io/opencontainers/runtime-spec/1/features/Features"),
			buf_str(&features),
		};
	pb_encode(&pb_runtime_info, &info, &reply);
	return reply.failed ? -ENOMEM : write_all(STDOUT_FILENO, buf_str(&reply));
}
