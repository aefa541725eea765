/* calls.c: the task service, versions 2 and 3, and our own for streams. */
#include "shim.h"

enum { DRAIN_MS = 10000, LAST_EVENTS_MS = 2000, IDLE_MS = 60000, MAX_SIGNAL = 64 };
enum { MAX_MESSAGE = 256, DISCARD_MS = 10000, START_MS = 120000, MAX_LOOKS = 50 };

_Static_assert(sizeof(struct create_request) <= MAX_MESSAGE, "the largest of the requests");

static const char *socket_path;
static struct timer idle;
static bool ending;

/* What all calls of runc have in common when they fail. */
static bool failed(struct job *job, const char *error) {
	if (error != NULL)
		call_fail(job->call, job->timed_out ? DEADLINE_EXCEEDED : UNKNOWN,
			  "runc %s failed: %s", job->command, error);
	return error != NULL;
}

/* Run runc for a container, and nothing else, or fail. */
static int run(struct job *job, struct call *call, const char *const *command) {
	int error = job_run(job, command, NULL);

	if (error != 0) call_fail_with(call, error, "cannot run runc");
	return error;
}

/* ---- Create ---- */

static void publish_create(const struct process *p) {
	cleanup_arena struct arena arena = {0};
	struct create_request r;

	if (pb_decode(&pb_create_request, &r, buf_str(&p->spec), &arena) != 0) return;
	PUBLISH("/tasks/create", task_create, r.id, r.bundle, r.rootfs,
		{r.stdin, r.stdout, r.stderr, r.terminal}, {0}, (uint64_t)p->pid);
}

/* Whatever runc said to it: the container is none, and the call learns why. */
static void discarded(struct job *job, const char *error) {
	struct container *c = job->process->container;

	if (error != NULL) log_warn("cannot delete what there was of %s: %s", c->id, error);
	rootfs_unmount(c->bundle);
	call_fail(job->call, (enum code)job->code, "runc create failed: %s", job->reason);
	container_free(c);
}

/* A runc that was killed, or that lied, may have left a container. */
static void discard(const struct job *creation, const char *error) {
	struct container *c = creation->process->container;
	struct job *job = job_new(creation->process, creation->call, discarded);

	if (job != NULL) {
		job->limit_ms = DISCARD_MS;
		job->reason = strdup(error);
		job->code = creation->timed_out ? DEADLINE_EXCEEDED : UNKNOWN;
	}
	if (job_run(job, WORDS("delete", "--force", c->id), NULL) == 0) return;
	rootfs_unmount(c->bundle);
	call_fail(creation->call, UNKNOWN, "runc create failed: %s", error);
	container_free(c);
}

static void created(struct job *job, const char *error) {
	struct process *p = job->process;

	if (error == NULL && process_made(p, "init.pid") != 0) error = "it left no process id";
	if (error != NULL) {
		discard(job, error);
		return;
	}
	io_started(&p->io);
	p->state = CREATED;
	publish_create(p);
	buf_free(&p->spec);
	REPLY(job->call, create_response, (uint64_t)p->pid);
}

/* The name of the file in which runc leaves the pid, of which no older one may be there. */
static char *fresh_pid_file(const struct process *p) {
	bool first = p->exec_id == NULL;
	cleanup_free char *draft =
		str_format(".%s%s.pid", first ? "init" : "exec-", first ? "" : p->exec_id);

	if (draft == NULL) return NULL;
	unlinkat(p->container->directory, draft, 0); /* where runc writes it first */
	unlinkat(p->container->directory, draft + 1, 0);
	return strdup(draft + 1);
}

/*
 * Make the streams and run runc, which makes a process.  COMMAND has two
 * places for a console socket before the id at its end.
 */
static int make_process(struct process *p, struct job *job, const char **command,
			size_t console_at) {
	static unsigned int count;
	/* runc gets the name alone: it runs in the bundle, and paths of sockets are short. */
	cleanup_free char *console =
		str_format("/proc/self/fd/%d/.console-%u", p->container->directory, count++);
	int fds[3] = {-1, -1, -1};
	int error = console == NULL ? -ENOMEM : io_open(&p->io, fds, p, console);

	if (error == 0 && p->io.terminal) {
		command[console_at] = "--console-socket";
		command[console_at + 1] = strrchr(console, '/') + 1;
	}
	job->makes_process = true;
	if (error == 0)
		error = job_run(job, command, fds);
	else
		job_free(job);
	for (int i = 0; i < 3; i++)
		close_fd(&fds[i]);
	return error;
}

static int create(struct container *c, const struct create_request *r, struct call *call,
		  char *reason, size_t size) {
	cleanup_free char *pid_file = fresh_pid_file(c->init);
	const struct settings *s = &c->settings;
	struct job *job = job_new(c->init, call, created);
	int error = io_init(&c->init->io, r->terminal, r->stdin, r->stdout, r->stderr);

	if (error == 0)
		error = settings_read(&c->settings, &r->options, our_namespace, c->directory);
	if (error == 0) error = settings_save(s, c->directory);
	if (error == 0 && (pid_file == NULL || job == NULL)) error = -ENOMEM;
	if (error == 0) error = rootfs_mount(c->bundle, &r->rootfs, reason, size);
	if (error != 0) {
		job_free(job);
		return error;
	}
	error = make_process(c->init, job,
			     (const char *[]){"create", "--bundle", c->bundle, "--pid-file",
					      pid_file, s->no_pivot_root ? "--no-pivot" : "",
					      s->no_new_keyring ? "--no-new-keyring" : "", "", "",
					      c->id, NULL},
			     7);
	if (error != 0) rootfs_unmount(c->bundle);
	return error;
}

static int do_create(struct call *call) {
	const struct create_request *r = call->message;
	char reason[1024] = "cannot create the container";
	struct container *c;
	int error;

	if (!is_identifier(r->id) || r->bundle.n == 0 || *r->bundle.p != '/')
		return call_fail(call, INVALID_ARGUMENT, "the id or the bundle is not valid");
	if (r->checkpoint.n > 0)
		return call_fail(call, UNIMPLEMENTED,
				 "containers are not restored from checkpoints");
	if (container_find(r->id) != NULL)
		return call_fail(call, ALREADY_EXISTS, "container %.*s: already exists",
				 (int)r->id.n, r->id.p);
	error = ending ? -ESHUTDOWN : container_new(&c, r->id, r->bundle);
	if (error != 0) return call_fail_with(call, error, "cannot use the bundle");
	buf_put(&c->init->spec, call->payload.p, call->payload.n);
	error = create(c, r, call, reason, sizeof(reason));
	if (error == 0) return 0;
	container_free(c);
	return call_fail_with(call, error, reason);
}

/* ---- Start, Exec ---- */

static void runs(struct process *p, struct call *call) {
	p->state = RUNNING; /* its exit, if it has one, follows */
	PUBLISH("/tasks/start", task_start, str_of(p->container->id), (uint64_t)p->pid);
	REPLY(call, start_response, (uint64_t)p->pid);
}

static void started(struct job *job, const char *error) {
	if (error == NULL)
		runs(job->process, job->call);
	else
		job->process->state = CREATED;
	failed(job, error);
}

static char *gate_path(const struct container *c, const char *file) {
	return str_format("%s/%s/%s", c->settings.root, c->id, file);
}

static bool program_of(const struct process *p, struct stat *program) {
	cleanup_free char *link = str_format("/proc/%d/exe", p->pid);

	return link != NULL && stat(link, program) == 0;
}

/* It is behind the gate, and still runc's own program, in which a signal would be lost. */
static bool becomes(struct container *c) {
	struct stat now;

	return !c->init->exited && c->looks++ < MAX_LOOKS && program_of(c->init, &now) &&
	       now.st_ino == c->gate_keeper.st_ino && now.st_dev == c->gate_keeper.st_dev;
}

void start_settle(struct container *c) {
	struct call *call = c->starting;
	cleanup_free char *gate = gate_path(c, "exec.fifo");
	bool expired = c->gate_limit.node.next == NULL;
	char byte;

	if (call == NULL) return;
	if (c->gate.fd >= 0 && read(c->gate.fd, &byte, 1) == 1) {
		if (gate != NULL) unlink(gate); /* by this runc knows that it runs */
		loop_close(&c->gate);
	}
	if (c->gate.fd < 0 && becomes(c)) {
		timer_start(&c->gate_limit, 1);
		return;
	}
	if (c->gate.fd < 0) {
		runs(c->init, call);
	} else if (c->init->exited || expired) {
		c->init->state = CREATED;
		call_fail(call, expired ? DEADLINE_EXCEEDED : UNKNOWN,
			  "the process %s before it ran", expired ? "did not move" : "ended");
	} else {
		return;
	}
	c->starting = NULL;
	loop_close(&c->gate);
	timer_stop(&c->gate_limit);
}

static void gate_ready(struct watch *watch, uint32_t events) {
	(void)events;
	start_settle(owner_of(watch, struct container, gate));
	tasks_settle(); /* it may have ended since */
}

static void gate_due(struct timer *timer) {
	start_settle(owner_of(timer, struct container, gate_limit));
}

/*
 * The first process waits until somebody reads from a FIFO that runc has made.
 * Where there are no hooks, that is all that "runc start" does.  -ENOENT where
 * it may be something else: hooks, or another runtime.
 */
static int open_gate(struct container *c, struct call *call) {
	cleanup_free char *config = read_text(c->directory, "config.json");
	cleanup_free char *state = gate_path(c, "state.json"), *gate = gate_path(c, "exec.fifo");
	int64_t ms = call->timeout_nano / 1000000;

	if (config == NULL || json_member(config, "hooks") != NULL || state == NULL ||
	    gate == NULL || access(state, F_OK) < 0 || !program_of(c->init, &c->gate_keeper))
		return -ENOENT;
	c->gate = (struct watch){open(gate, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW), 0,
				 gate_ready};
	if (c->gate.fd < 0 || loop_want(&c->gate, EPOLLIN) != 0) {
		loop_close(&c->gate);
		return -ENOENT;
	}
	c->starting = call;
	c->gate_limit.fire = gate_due;
	timer_start(&c->gate_limit, ms > 0 && ms < START_MS ? (int)ms : START_MS);
	return 0;
}

static void exec_started(struct job *job, const char *error) {
	struct process *p = job->process;
	const struct container *c = p->container;
	cleanup_free char *pid_file = str_format("exec-%s.pid", p->exec_id);

	if (error == NULL && (pid_file == NULL || process_made(p, pid_file) != 0))
		error = "it left no process id";
	buf_free(&p->spec);
	if (pid_file != NULL) unlinkat(c->directory, pid_file, 0);
	if (failed(job, error)) {
		process_failed(p);
		return;
	}
	io_started(&p->io);
	p->state = RUNNING;
	events_publish(
		"/tasks/exec-started", &pb_task_exec_started,
		&(struct task_exec_started){str_of(c->id), str_of(p->exec_id), (uint64_t)p->pid});
	REPLY(job->call, start_response, (uint64_t)p->pid);
}

static int start_exec(struct process *p, struct job *job) {
	const struct container *c = p->container;
	cleanup_free char *pid_file = fresh_pid_file(p), *file = NULL;

	job->input = memory_file("process", buf_str(&p->spec));
	file = str_format("/proc/%d/fd/%d", getpid(), job->input);
	if (job->input < 0 || file == NULL || pid_file == NULL) {
		int error = job->input < 0 ? job->input : -ENOMEM;

		job_free(job);
		return error;
	}
	return make_process(p, job,
			    (const char *[]){"exec", "--process", file, "--detach", "--pid-file",
					     pid_file, "", "", c->id, NULL},
			    6);
}

static int do_start(struct call *call) {
	struct process *p = call->process;
	struct container *c = p->container;
	bool first = p == c->init;
	struct job *job;
	int error;

	if (p->state != CREATED || p->exited ||
	    (!first && (c->init->state != RUNNING || c->init->exited)))
		return call_fail(call, FAILED_PRECONDITION,
				 "the process cannot be started in its state");
	if (first && open_gate(c, call) == 0) {
		p->state = STARTING;
		return 0;
	}
	job = job_new(p, call, first ? started : exec_started);
	if (first)
		error = job_run(job, WORDS("start", c->id), NULL);
	else
		error = job == NULL ? -ENOMEM : start_exec(p, job);
	if (error == 0)
		p->state = STARTING;
	else if (!first)
		process_failed(p);
	return error == 0 ? 0 : call_fail_with(call, error, "cannot start the process");
}

static int do_exec(struct call *call) {
	const struct exec_request *r = call->message;
	struct container *c = call->process->container;

	if (!is_identifier(r->exec_id))
		return call_fail(call, INVALID_ARGUMENT, "the exec id is not valid");
	if (process_find(c, r->exec_id) != NULL)
		return call_fail(call, ALREADY_EXISTS, "process %.*s: already exists",
				 (int)r->exec_id.n, r->exec_id.p);
	if (c->init->state != RUNNING || c->init->exited)
		return call_fail(call, FAILED_PRECONDITION, "container %s is not running", c->id);
	struct process *p = process_new(c, r->exec_id);
	if (p == NULL) return call_fail_with(call, -ENOMEM, "cannot add the process");
	int error = io_init(&p->io, r->terminal, r->stdin, r->stdout, r->stderr);
	if (error != 0) {
		process_free(p);
		return call_fail_with(call, error, "cannot add the process");
	}
	buf_put(&p->spec, r->spec.value.p, r->spec.value.n);
	p->state = CREATED;
	PUBLISH("/tasks/exec-added", task_exec_added, r->id, r->exec_id);
	return call_reply(call, NULL, NULL);
}

/* ---- Delete ---- */

static void reply_delete(struct call *call, const struct process *p) {
	REPLY(call, delete_response, (uint64_t)p->pid, p->exit_status, p->exited_at);
}

static void deleted(struct job *job, const char *error) {
	struct process *p = job->process;
	struct container *c = p->container;
	int mounted;

	p->deleting = NULL;
	if (error != NULL && strstr(error, "does not exist") == NULL) {
		failed(job, error);
		return;
	}
	mounted = rootfs_unmount(c->bundle);
	if (mounted != 0) log_warn("cannot unmount the root of %s: %s", c->id, strerror(-mounted));
	PUBLISH("/tasks/delete", task_delete, str_of(c->id), (uint64_t)p->pid, p->exit_status,
		p->exited_at);
	exit_remove(p);
	reply_delete(job->call, p);
	container_free(c);
}

static void drain_due(struct timer *timer) {
	struct process *p = owner_of(timer, struct process, drain);

	if (io_busy(&p->io) && p->deleting != NULL) {
		log_warn("deleting %s before all of its output came", p->container->id);
		io_free(&p->io);
	}
	p->io.drained = NULL;
	list_each(call, &p->drainers, struct call, waiting)
		call_reply(call, NULL, NULL);
	if (p->deleting != NULL) delete_process(p);
}

/* Go on later: whoever tells of it still uses IO. */
static void drained(struct io *io) {
	struct process *p = owner_of(io, struct process, io);

	p->drain.fire = drain_due;
	timer_start(&p->drain, 0);
}

static bool is_busy(const struct container *c) {
	list_each(p, &c->processes, struct process, node)
		if (p->busy > 0) return true;
	return false;
}

void delete_process(struct process *p) {
	struct call *call = p->deleting;

	if (io_busy(&p->io)) {
		p->io.drained = drained;
		p->drain.fire = drain_due;
		timer_start(&p->drain, DRAIN_MS);
		return;
	}
	timer_stop(&p->drain);
	if (p->exec_id != NULL) {
		p->deleting = NULL;
		exit_remove(p);
		reply_delete(call, p);
		process_free(p);
	} else if (!is_busy(p->container)) {
		if (run(job_new(p, call, deleted), call, WORDS("delete", p->container->id)) != 0)
			p->deleting = NULL;
	}
}

void delete_resume(struct container *c) {
	struct process *init = c->init;

	if (init->deleting != NULL && init->published && init->drain.node.next == NULL)
		delete_process(init);
}

static int do_delete(struct call *call) {
	struct process *p = call->process;
	bool unborn = p->state == CREATED && !p->exited;

	if (p->deleting != NULL || (!p->published && !unborn))
		return call_fail(call, FAILED_PRECONDITION, "the process is not stopped");
	p->deleting = call;
	if (unborn && p->exec_id == NULL)
		process_signal(p, SIGKILL); /* goes on when it has ended */
	else
		delete_process(p);
	return 0;
}

/* ---- the smaller ones ---- */

static int do_state(struct call *call) {
	/* Of containerd.v1.types.Status */
	static const int64_t statuses[] = {1, 1, 1, 2, 3}, status_paused = 4;
	const struct process *p = call->process;
	const struct container *c = p->container;
	struct state_response r = {
		.id = str_of(c->id),
		.bundle = str_of(c->bundle),
		.pid = (uint64_t)p->pid,
		.status = p->state == RUNNING && c->paused ? status_paused : statuses[p->state],
		.stdin = str_of(p->io.uri[0]),
		.stdout = str_of(p->io.uri[1]),
		.stderr = str_of(p->io.uri[2]),
		.terminal = p->io.terminal,
		.exec_id = str_of(p->exec_id),
	};

	if (p->published) {
		r.exit_status = p->exit_status;
		r.exited_at = p->exited_at;
	}
	return call_reply(call, &pb_state_response, &r);
}

void reply_wait(struct call *call, const struct process *p) {
	REPLY(call, wait_response, p->exit_status, p->exited_at);
}

static int do_wait(struct call *call) {
	if (call->process->published)
		reply_wait(call, call->process);
	else
		list_append(&call->process->waiters, &call->waiting);
	return 0;
}

static int do_kill(struct call *call) {
	const struct kill_request *r = call->message;
	struct process *p = call->process;
	const char *cgroup = p->container->cgroup;
	int error;

	if (r->signal > MAX_SIGNAL)
		return call_fail(call, INVALID_ARGUMENT, "there is no signal %llu",
				 (unsigned long long)r->signal);
	if (p->exited || p->pid <= 0)
		return call_fail(call, p->exited ? NOT_FOUND : FAILED_PRECONDITION,
				 p->exited ? "process already finished"
					   : "the process is not started");
	if (r->all && p->exec_id == NULL && cgroup != NULL)
		error = cgroup_kill(cgroup, (int)r->signal);
	else
		error = process_signal(p, (int)r->signal);
	/* A frozen process does not even die. */
	if (r->signal == SIGKILL && p->exec_id == NULL && cgroup != NULL &&
	    cgroup_thaw(cgroup) == 0)
		p->container->paused = false;
	return call_finish(call, error, "cannot send the signal");
}

static int do_pids(struct call *call) {
	const struct container *c = call->process->container;
	cleanup_buf struct buf pids = {0};
	cleanup_free struct process_info *infos = NULL;
	const uint32_t *list;
	size_t count;

	if (c->cgroup != NULL && !c->init->exited) cgroup_pids(c->cgroup, &pids);
	/*
	 * Also of one that has ended: a containerd 2 that comes back takes a
	 * task without processes for leaked, and forgets how it ended.
	 */
	if (pids.len == 0 && c->init->pid > 0) buf_put(&pids, &c->init->pid, sizeof(*list));
	list = (const void *)pids.data;
	count = pids.len / sizeof(*list);
	infos = calloc(count + 1, sizeof(*infos));
	for (size_t i = 0; infos != NULL && i < count; i++)
		infos[i].pid = list[i];
	return REPLY(call, pids_response, {infos, infos == NULL ? 0 : count});
}

/* Run runc for a container that is made and not on its way out. */
static int run_alive(struct call *call, struct job *job, const char *const *command) {
	const struct process *init = call->process;

	if (init->state == CREATING || init->state == STOPPED || init->deleting != NULL) {
		job_free(job);
		return call_fail(call, FAILED_PRECONDITION, "container %s is not running",
				 init->container->id);
	}
	return run(job, call, command);
}

static void paused(struct job *job, const char *error) {
	struct container *c = job->process->container;

	if (failed(job, error)) return;
	c->paused = true;
	PUBLISH("/tasks/paused", task_paused, str_of(c->id));
	call_reply(job->call, NULL, NULL);
}

static void resumed(struct job *job, const char *error) {
	struct container *c = job->process->container;

	if (failed(job, error)) return;
	c->paused = false;
	PUBLISH("/tasks/resumed", task_resumed, str_of(c->id));
	call_reply(job->call, NULL, NULL);
}

static int do_pause(struct call *call) {
	return run_alive(call, job_new(call->process, call, paused),
			 WORDS("pause", call->process->container->id));
}

static int do_resume(struct call *call) {
	return run_alive(call, job_new(call->process, call, resumed),
			 WORDS("resume", call->process->container->id));
}

static void finished(struct job *job, const char *error) {
	if (!failed(job, error)) call_reply(job->call, NULL, NULL);
}

static int do_update(struct call *call) {
	const struct update_request *r = call->message;
	struct job *job = job_new(call->process, call, finished);

	if (job != NULL) job->input = memory_file("resources", r->resources.value);
	return run_alive(call, job,
			 WORDS("update", "--resources", "-", call->process->container->id));
}

static void checkpointed(struct job *job, const char *error) {
	const struct buf *path = &job->process->spec;

	if (error == NULL)
		PUBLISH("/tasks/checkpointed", task_checkpointed,
			str_of(job->process->container->id), buf_str(path));
	buf_free(&job->process->spec);
	finished(job, error);
}

static int do_checkpoint(struct call *call) {
	const struct checkpoint_request *r = call->message;
	struct process *p = call->process;
	cleanup_arena struct arena arena = {0};
	cleanup_free char *path = str_copy(r->path);
	struct checkpoint_options o;

	if (path == NULL || p->state != RUNNING || p->spec.len > 0 ||
	    pb_decode(&pb_checkpoint_options, &o, r->options.value, &arena) < 0)
		return call_fail(
			call, INVALID_ARGUMENT,
			"the checkpoint's path or options are malformed, or another is made");
	buf_put(&p->spec, r->path.p, r->path.n); /* kept for the event */
	if (run(job_new(p, call, checkpointed), call,
		WORDS("checkpoint", "--image-path", path, o.exit ? "" : "--leave-running",
		      o.open_tcp ? "--tcp-established" : "",
		      o.external_unix_sockets ? "--ext-unix-sk" : "",
		      o.terminal ? "--shell-job" : "", o.file_locks ? "--file-locks" : "",
		      p->container->id)) != 0)
		buf_free(&p->spec);
	return 0;
}

static int do_resize(struct call *call) {
	const struct resize_request *r = call->message;
	struct process *p = call->process;
	int error = io_resize(&p->io, r->width, r->height);

	/* An exec that is not started yet has no terminal; clients resize it at once all the same.
	 */
	return call_finish(call, error == -ENOTTY && p->state == CREATED ? 0 : error,
			   "cannot resize the terminal");
}

static int do_close_io(struct call *call) {
	const struct close_request *r = call->message;

	if (r->stdin) io_close_input(&call->process->io);
	return call_reply(call, NULL, NULL);
}

static int do_stats(struct call *call) {
	const char *cgroup = call->process->container->cgroup, *type = "";
	cleanup_buf struct buf metrics = {0};
	int error = cgroup == NULL ? -ENOENT : cgroup_metrics(cgroup, &metrics, &type);

	if (error != 0) return call_fail_with(call, error, "cannot read the cgroup");
	return REPLY(call, stats_response, {str_of(type), buf_str(&metrics)});
}

static int do_connect(struct call *call) {
	const struct pids_request *r = call->message;
	const struct container *c = container_find(r->id);

	return REPLY(call, connect_response, (uint64_t)getpid(),
		     c == NULL ? 0 : (uint64_t)c->init->pid, STR(VERSION));
}

/* ---- the end ---- */

static void end(void) {
	if (ending) return;
	/* At once: whoever starts a shim from now on must get a new one. */
	unlink(socket_path);
	ending = true;
	events_end(LAST_EVENTS_MS);
}

static int do_shutdown(struct call *call) {
	if (tasks_none()) end();
	return call_reply(call, NULL, NULL);
}

static void idle_due(struct timer *timer) {
	if (tasks_gone())
		end();
	else
		timer_start(timer, IDLE_MS);
}

void serve_clients(void) {
	if (ttrpc_clients())
		timer_stop(&idle);
	else
		timer_start(&idle, IDLE_MS);
}

/* ---- our own ---- */

static int do_reopen(struct call *call) {
	struct log *log = call->process->io.log;
	int error = log == NULL ? -EINVAL : log_reopen(log);

	return call_finish(call, error, "cannot reopen the log");
}

static int do_counters(struct call *call) {
	const struct log *log = call->process->io.log;

	if (log == NULL) return call_fail(call, INVALID_ARGUMENT, "the process has no log");
	return call_reply(call, &pb_log_counters, &log->counters);
}

static int do_drain(struct call *call) {
	struct process *p = call->process;

	if (!io_busy(&p->io)) return call_reply(call, NULL, NULL);
	p->io.drained = drained;
	list_append(&p->drainers, &call->waiting);
	return 0;
}

static int do_attach(struct call *call) {
	const struct attach_request *r = call->message;
	struct process *p = call->process;

	if (p->published) return call_fail(call, FAILED_PRECONDITION, "the process has ended");
	return attach(&p->io, call, r->stdin);
}

/* ---- all of them ---- */

struct method {
	const char *name;
	const struct pb_message *request;
	/* What has to exist: the message begins with its id, or with that and exec_id. */
	enum { NOTHING, CONTAINER, PROCESS } needs;
	/* What it returns is as good as 0: it answers, now or later, in any case. */
	int (*begin)(struct call *call);
};

static const struct method task_methods[] = {
	{"Create", &pb_create_request, NOTHING, do_create},
	{"Start", &pb_start_request, PROCESS, do_start},
	{"Delete", &pb_delete_request, PROCESS, do_delete},
	{"Exec", &pb_exec_request, CONTAINER, do_exec},
	{"State", &pb_state_request, PROCESS, do_state},
	{"Wait", &pb_wait_request, PROCESS, do_wait},
	{"Kill", &pb_kill_request, PROCESS, do_kill},
	{"Pids", &pb_pids_request, CONTAINER, do_pids},
	{"Pause", &pb_pause_request, CONTAINER, do_pause},
	{"Resume", &pb_resume_request, CONTAINER, do_resume},
	{"Checkpoint", &pb_checkpoint_request, CONTAINER, do_checkpoint},
	{"ResizePty", &pb_resize_request, PROCESS, do_resize},
	{"CloseIO", &pb_close_request, PROCESS, do_close_io},
	{"Update", &pb_update_request, CONTAINER, do_update},
	{"Stats", &pb_stats_request, CONTAINER, do_stats},
	{"Connect", &pb_connect_request, NOTHING, do_connect},
	{"Shutdown", &pb_shutdown_request, NOTHING, do_shutdown},
	{NULL, NULL, NOTHING, NULL},
};

static const struct method stream_methods[] = {
	{"Reopen", &pb_reopen_request, PROCESS, do_reopen},
	{"Counters", &pb_counters_request, PROCESS, do_counters},
	{"Drain", &pb_drain_request, PROCESS, do_drain},
	{"Attach", &pb_attach_request, PROCESS, do_attach},
	{NULL, NULL, NOTHING, NULL},
};

static const struct method *find_method(const struct request *r) {
	static const struct method none = {0};
	const struct method *method = &none;

	if (str_is(r->service, "containerd.task.v2.Task") ||
	    str_is(r->service, "containerd.task.v3.Task"))
		method = task_methods;
	else if (str_is(r->service, "gantry.shim.v1.Streams"))
		method = stream_methods;
	while (method->name != NULL && !str_is(r->method, method->name))
		method++;
	return method;
}

static int begin(const struct method *method, struct call *call) {
	const struct start_request *r = call->message;
	struct container *c = method->needs == NOTHING ? NULL : container_find(r->id);

	if (method->needs == NOTHING) return method->begin(call);
	if (c == NULL)
		return call_fail(call, NOT_FOUND, "container %.*s: not found", (int)r->id.n,
				 r->id.p);
	call->process = method->needs == CONTAINER ? c->init : process_find(c, r->exec_id);
	if (call->process == NULL)
		return call_fail(call, NOT_FOUND, "process %.*s of container %s: not found",
				 (int)r->exec_id.n, r->exec_id.p, c->id);
	return method->begin(call);
}

int serve_call(struct call *call, const struct request *request) {
	cleanup_arena struct arena arena = {0};
	_Alignas(16) char message[MAX_MESSAGE];
	const struct method *method = find_method(request);

	if (method->name == NULL)
		return call_fail(call, UNIMPLEMENTED, "there is no method %.*s/%.*s",
				 (int)request->service.n, request->service.p,
				 (int)request->method.n, request->method.p);
	call->message = message;
	if (pb_decode(method->request, message, call->payload, &arena) < 0)
		return call_fail(call, INVALID_ARGUMENT, "a malformed request of %s", method->name);
	return begin(method, call);
}

void calls_open(const char *path, int fd) {
	socket_path = path;
	idle.fire = idle_due;
	if (ttrpc_serve(fd) == 0) serve_clients();
}
