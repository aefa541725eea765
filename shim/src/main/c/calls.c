/* calls.c: the task service, versions 2 and 3, and our own for streams. */
#include "shim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 10000, LAST_EVENTS_MS = 2000, IDLE_MS = 60000, MAX_SIGNAL = 64 };

static const char *namespace, *socket_path;
static struct timer idle;
static bool any_clients;

/* Fails the call if there is none. */
static struct container *
need_container(struct call *call, struct str id)
{
	struct container *c = container_find(id);

	if (c == NULL)
		call_fail(call, NOT_FOUND, "container %.*s: not found", (int)id.n, id.p);
	return c;
}

static struct process *
need_process(struct call *call, struct str id, struct str exec_id)
{
	struct container *c = need_container(call, id);
	struct process *p = c == NULL ? NULL : process_find(c, exec_id);

	if (c != NULL && p == NULL)
		call_fail(call, NOT_FOUND, "process %.*s of container %.*s: not found",
			  (int)exec_id.n, exec_id.p, (int)id.n, id.p);
	return p;
}

static void
fail_with(struct call *call, int error, const char *what)
{
	call_fail(call, code_of(error), "%s: %s", what, strerror(-error));
}

static void
close_three(int fds[3])
{
	for (int i = 0; i < 3; i++)
		close_fd(&fds[i]);
}

static struct job *
new_job(struct process *p, struct call *call, void (*done)(struct job *job, const char *error))
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->process = p;
	job->call = call;
	job->done = done;
	job->log = job->file = -1;
	return job;
}

/* Run runc for a process that needs no streams. */
static void
run(struct job *job, const struct arguments *command)
{
	int error = job == NULL ? -ENOMEM : runc_begin(job, command, NULL, job->file);

	if (error == 0)
		return;
	fail_with(job->call, error, "cannot run runc");
	close_fd(&job->file);
	free(job);
}

/* ---- Create ---- */

static void
created(struct job *job, const char *error)
{
	cleanup_arena struct arena arena = {0};
	struct process *p = job->process;
	struct container *c = p->container;
	struct create_request r;
	int unread = error == NULL ? process_made(p, "init.pid") : 0;

	if (error != NULL || unread != 0) {
		if (job->timed_out || unread != 0) {
			struct arguments a = {0};

			runc_arguments(&a, &c->settings, "/dev/null");
			add_argument(&a, "delete");
			add_argument(&a, "--force");
			add_argument(&a, c->id);
			spawn(&(struct spawn){.argv = a.list, .fds = {-1, -1, -1, -1, -1, -1}});
		}
		rootfs_unmount(c->bundle);
		call_fail(job->call, job->timed_out ? DEADLINE_EXCEEDED : UNKNOWN,
			  "runc create failed: %s",
			  error != NULL ? error : "it left no process id");
		container_free(c);
		return;
	}
	io_started(&p->io);
	p->state = CREATED;
	if (pb_decode(&pb_create_request, &r, buf_str(&p->spec), &arena) == 0)
		events_publish("/tasks/create", &pb_task_create,
			       &(struct task_create){
				       .container_id = r.id,
				       .bundle = r.bundle,
				       .rootfs = r.rootfs,
				       .io = {r.stdin_uri, r.stdout_uri, r.stderr_uri, r.terminal},
				       .pid = (uint32_t)p->pid,
			       });
	buf_free(&p->spec);
	call_reply(job->call, &pb_create_response, &(struct pid_response){(uint32_t)p->pid});
}

/* "/proc/self/fd/7/.console-3", of which runc gets the name alone: it runs in the bundle. */
static char *
console_path(const struct container *c)
{
	static unsigned int count;

	return str_format("/proc/self/fd/%d/.console-%u", c->directory, count++);
}

/* Make the streams and run runc, which makes a process. */
static int
make_process(struct process *p, struct job *job, struct arguments *a)
{
	cleanup_free char *console = console_path(p->container);
	int fds[3] = {-1, -1, -1};
	int error;

	if (console == NULL)
		return -ENOMEM;
	p->io.logger_id = p->container->id;
	p->io.logger_namespace = namespace;
	error = io_open(&p->io, fds, &p->container->settings, console);
	if (p->io.terminal) {
		add_argument(a, "--console-socket");
		add_argument(a, strrchr(console, '/') + 1);
	}
	add_argument(a, p->container->id);
	job->makes_process = true;
	if (error == 0)
		error = runc_begin(job, a, p->io.terminal ? NULL : fds, fds[0]);
	close_three(fds);
	return error;
}

static int
create_container(struct container *c, const struct create_request *r, struct job *job, char *failed,
		 size_t size)
{
	cleanup_free char *pid_file = str_format("%s/init.pid", c->bundle);
	struct arguments a = {0};
	int error = io_init(&c->init->io, r->terminal, r->stdin_uri, r->stdout_uri, r->stderr_uri);

	if (error == 0)
		error = settings_read(&c->settings, &r->options, namespace, c->directory);
	if (error == 0)
		error = settings_save(&c->settings, c->directory);
	if (error != 0 || pid_file == NULL)
		return error != 0 ? error : -ENOMEM;
	error = rootfs_mount(c->bundle, &r->rootfs, failed, size);
	if (error != 0)
		return error;
	add_argument(&a, "create");
	add_argument(&a, "--bundle");
	add_argument(&a, c->bundle);
	add_argument(&a, "--pid-file");
	add_argument(&a, pid_file);
	if (c->settings.no_pivot_root)
		add_argument(&a, "--no-pivot");
	if (c->settings.no_new_keyring)
		add_argument(&a, "--no-new-keyring");
	error = make_process(c->init, job, &a);
	if (error != 0)
		rootfs_unmount(c->bundle);
	return error;
}

static void
do_create(struct call *call, const struct request *request, const void *message)
{
	const struct create_request *r = message;
	char failed[1024] = "cannot create the container";
	struct container *c;
	struct job *job;
	int error;

	if (!is_identifier(r->id) || r->bundle.n == 0 || *r->bundle.p != '/') {
		call_fail(call, INVALID_ARGUMENT, "the id or the bundle is not valid");
		return;
	}
	if (r->checkpoint.n > 0) {
		call_fail(call, UNIMPLEMENTED, "containers are not restored from checkpoints");
		return;
	}
	if (container_find(r->id) != NULL) {
		call_fail(call, ALREADY_EXISTS, "container %.*s: already exists", (int)r->id.n,
			  r->id.p);
		return;
	}
	c = container_new(r->id, r->bundle, &error);
	if (c == NULL) {
		fail_with(call, error, "cannot use the bundle");
		return;
	}
	job = new_job(c->init, call, created);
	buf_put(&c->init->spec, request->payload.p, request->payload.n);
	error = job == NULL ? -ENOMEM : create_container(c, r, job, failed, sizeof(failed));
	if (error == 0)
		return;
	fail_with(call, error, failed);
	free(job);
	container_free(c);
}

/* ---- Start, Exec ---- */

static void
started(struct job *job, const char *error)
{
	struct process *p = job->process;
	const struct container *c = p->container;

	if (error != NULL) {
		p->state = CREATED; /* its exit, if it has one, follows */
		call_fail(job->call, job->timed_out ? DEADLINE_EXCEEDED : UNKNOWN,
			  "runc start failed: %s", error);
		return;
	}
	p->state = RUNNING;
	events_publish(
		"/tasks/start", &pb_task_start,
		&(struct task_event){.container_id = str_of(c->id), .pid = (uint32_t)p->pid});
	call_reply(job->call, &pb_start_response, &(struct pid_response){(uint32_t)p->pid});
}

static char *
exec_pid_file(const struct process *p)
{
	return str_format("%s.pid", p->exec_id);
}

static void
exec_started(struct job *job, const char *error)
{
	struct process *p = job->process;
	const struct container *c = p->container;
	cleanup_free char *pid_file = exec_pid_file(p);
	int unread = error == NULL && pid_file != NULL ? process_made(p, pid_file) : 0;

	buf_free(&p->spec);
	if (pid_file != NULL)
		unlinkat(c->directory, pid_file, 0);
	if (error != NULL || unread != 0) {
		process_failed(p);
		call_fail(job->call, job->timed_out ? DEADLINE_EXCEEDED : UNKNOWN,
			  "runc exec failed: %s", error != NULL ? error : "it left no process id");
		return;
	}
	io_started(&p->io);
	p->state = RUNNING;
	events_publish("/tasks/exec-started", &pb_task_exec_started,
		       &(struct task_event){.container_id = str_of(c->id),
					    .exec_id = str_of(p->exec_id),
					    .pid = (uint32_t)p->pid});
	call_reply(job->call, &pb_start_response, &(struct pid_response){(uint32_t)p->pid});
}

static int
start_exec(struct process *p, struct job *job)
{
	const struct container *c = p->container;
	cleanup_free char *pid_file = str_format("%s/%s.pid", c->bundle, p->exec_id), *file = NULL;
	struct arguments a = {0};

	job->file = memory_file("process", buf_str(&p->spec));
	if (job->file < 0)
		return job->file;
	file = str_format("/proc/%d/fd/%d", getpid(), job->file);
	if (file == NULL || pid_file == NULL)
		return -ENOMEM;
	add_argument(&a, "exec");
	add_argument(&a, "--process");
	add_argument(&a, file);
	add_argument(&a, "--detach");
	add_argument(&a, "--pid-file");
	add_argument(&a, pid_file);
	return make_process(p, job, &a);
}

static void
do_start(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	bool first = p != NULL && p->exec_id == NULL;
	struct arguments a = {0};
	struct job *job;
	int error;

	(void)request;
	if (p == NULL)
		return;
	if (p->state != CREATED || p->exited ||
	    (!first && (p->container->init->state != RUNNING || p->container->init->exited))) {
		call_fail(call, FAILED_PRECONDITION, "the process cannot be started in its state");
		return;
	}
	job = new_job(p, call, first ? started : exec_started);
	add_argument(&a, "start");
	add_argument(&a, p->container->id);
	if (job == NULL)
		error = -ENOMEM;
	else
		error = first ? runc_begin(job, &a, NULL, -1) : start_exec(p, job);
	if (error == 0) {
		p->state = STARTING;
		return;
	}
	fail_with(call, error, "cannot start the process");
	if (job != NULL)
		close_fd(&job->file);
	free(job);
	if (!first)
		process_failed(p);
}

static void
do_exec(struct call *call, const struct request *request, const void *message)
{
	const struct exec_request *r = message;
	struct container *c = need_container(call, r->id);
	struct process *p;

	(void)request;
	if (c == NULL)
		return;
	if (!is_identifier(r->exec_id)) {
		call_fail(call, INVALID_ARGUMENT, "the exec id is not valid");
	} else if (process_find(c, r->exec_id) != NULL) {
		call_fail(call, ALREADY_EXISTS, "process %.*s: already exists", (int)r->exec_id.n,
			  r->exec_id.p);
	} else if (c->init->state != RUNNING || c->init->exited) {
		call_fail(call, FAILED_PRECONDITION, "container %s is not running", c->id);
	} else if ((p = process_new(c, r->exec_id)) == NULL ||
		   io_init(&p->io, r->terminal, r->stdin_uri, r->stdout_uri, r->stderr_uri) != 0) {
		if (p != NULL)
			process_free(p);
		call_fail(call, RESOURCE_EXHAUSTED, "no memory");
	} else {
		buf_put(&p->spec, r->spec.value.p, r->spec.value.n);
		p->state = CREATED;
		events_publish("/tasks/exec-added", &pb_task_exec_added,
			       &(struct task_event){.container_id = r->id, .exec_id = r->exec_id});
		call_reply(call, NULL, NULL);
	}
}

/* ---- Delete ---- */

static void
reply_delete(struct call *call, const struct process *p)
{
	call_reply(call, &pb_delete_response,
		   &(struct exit_response){
			   .pid = (uint32_t)p->pid,
			   .exit_status = p->exit_status,
			   .exited_at = {p->exited_at.seconds, p->exited_at.nanos},
		   });
}

static void
deleted(struct job *job, const char *error)
{
	struct process *p = job->process;
	struct container *c = p->container;
	int mounted;

	if (error != NULL && strstr(error, "does not exist") == NULL) {
		call_fail(job->call, UNKNOWN, "runc delete failed: %s", error);
		return;
	}
	mounted = rootfs_unmount(c->bundle);
	if (mounted != 0)
		log_warn("cannot unmount the root of %s: %s", c->id, strerror(-mounted));
	events_publish("/tasks/delete", &pb_task_delete,
		       &(struct task_exit){
			       .container_id = str_of(c->id),
			       .pid = (uint32_t)p->pid,
			       .exit_status = p->exit_status,
			       .exited_at = {p->exited_at.seconds, p->exited_at.nanos},
		       });
	exit_remove(p);
	reply_delete(job->call, p);
	container_free(c);
}

static void
drained(struct io *io)
{
	struct process *p = owner_of(io, struct process, io);

	io->drained = NULL;
	list_each(call, &p->drainers, struct call, waiting) call_reply(call, NULL, NULL);
	if (p->deleting != NULL)
		delete_process(p);
}

static void
drain_due(struct timer *timer)
{
	struct process *p = owner_of(timer, struct process, drain);

	log_warn("deleting %s before all of its output came", p->container->id);
	io_free(&p->io);
	delete_process(p);
}

static bool
is_busy(const struct container *c)
{
	list_each(p, &c->processes, struct process, node) if (p->busy > 0) return true;
	return false;
}

void
delete_process(struct process *p)
{
	struct call *call = p->deleting;
	struct arguments a = {0};

	if (io_busy(&p->io)) {
		p->io.drained = drained;
		p->drain.fire = drain_due;
		timer_start(&p->drain, DRAIN_MS);
		return;
	}
	timer_stop(&p->drain);
	p->deleting = NULL;
	if (p->exec_id != NULL) {
		exit_remove(p);
		reply_delete(call, p);
		process_free(p);
	} else if (is_busy(p->container)) {
		call_fail(call, FAILED_PRECONDITION, "the container is busy");
	} else {
		add_argument(&a, "delete");
		add_argument(&a, p->container->id);
		run(new_job(p, call, deleted), &a);
	}
}

static void
do_delete(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	bool unborn;

	(void)request;
	if (p == NULL)
		return;
	unborn = p->state == CREATED && !p->exited;
	if (p->busy > 0 || p->deleting != NULL || (!p->published && !unborn)) {
		call_fail(call, FAILED_PRECONDITION, "the process is not stopped");
		return;
	}
	p->deleting = call;
	if (unborn && p->exec_id == NULL)
		kill(p->pid, SIGKILL); /* goes on when it has ended */
	else
		delete_process(p);
}

/* ---- the smaller ones ---- */

static void
do_state(struct call *call, const struct request *request, const void *message)
{
	static const int32_t statuses[] = {
		[CREATING] = 1, [CREATED] = 1, [STARTING] = 1, [RUNNING] = 2, [STOPPED] = 3};
	const struct process_request *r = message;
	const struct process *p = need_process(call, r->id, r->exec_id);
	bool paused = p != NULL && p->state == RUNNING && p->container->paused;

	(void)request;
	if (p == NULL)
		return;
	call_reply(call, &pb_state_response,
		   &(struct state_response){
			   .id = str_of(p->container->id),
			   .bundle = str_of(p->container->bundle),
			   .pid = (uint32_t)p->pid,
			   .status = paused ? 4 : statuses[p->state],
			   .stdin_uri = str_of(p->io.uri[0]),
			   .stdout_uri = str_of(p->io.uri[1]),
			   .stderr_uri = str_of(p->io.uri[2]),
			   .terminal = p->io.terminal,
			   .exit_status = p->published ? p->exit_status : 0,
			   .exited_at = {p->published ? p->exited_at.seconds : 0,
					 p->published ? p->exited_at.nanos : 0},
			   .exec_id = str_of(p->exec_id),
		   });
}

static void
do_wait(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);

	(void)request;
	if (p == NULL)
		return;
	if (p->published)
		call_reply(call, &pb_wait_response,
			   &(struct exit_response){
				   .exit_status = p->exit_status,
				   .exited_at = {p->exited_at.seconds, p->exited_at.nanos},
			   });
	else
		list_append(&p->waiters, &call->waiting);
}

static void
do_kill(struct call *call, const struct request *request, const void *message)
{
	const struct kill_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	const char *cgroup = p == NULL ? NULL : p->container->cgroup;
	int error = 0;

	(void)request;
	if (p == NULL)
		return;
	if (r->signal > MAX_SIGNAL) {
		call_fail(call, INVALID_ARGUMENT, "there is no signal %u", r->signal);
		return;
	}
	if (p->exited) {
		call_fail(call, NOT_FOUND, "process already finished");
		return;
	}
	if (p->pid <= 0) {
		call_fail(call, FAILED_PRECONDITION, "the process is not started");
		return;
	}
	if (r->all && p->exec_id == NULL && cgroup != NULL)
		error = cgroup_kill(cgroup, (int)r->signal);
	else if (kill(p->pid, (int)r->signal) < 0)
		error = -errno;
	/* A frozen process does not even die. */
	if (r->signal == SIGKILL && cgroup != NULL && cgroup_thaw(cgroup) == 0)
		p->container->paused = false;
	if (error != 0)
		fail_with(call, error, "cannot send the signal");
	else
		call_reply(call, NULL, NULL);
}

static void
do_pids(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct container *c = need_container(call, r->id);
	cleanup_buf struct buf pids = {0};
	cleanup_free struct process_info *infos = NULL;
	const uint32_t *list;
	uint32_t count;

	(void)request;
	if (c == NULL)
		return;
	if (c->cgroup != NULL && !c->init->exited)
		cgroup_pids(c->cgroup, &pids);
	/*
	 * Also of one that has ended: a containerd 2 that comes back takes a
	 * task without processes for leaked, and forgets how it ended.
	 */
	if (pids.len == 0 && c->init->pid > 0)
		buf_put(&pids, &(uint32_t){(uint32_t)c->init->pid}, 4);
	list = (const void *)pids.data;
	count = (uint32_t)(pids.len / sizeof(*list));
	infos = calloc(count + 1, sizeof(*infos));
	for (uint32_t i = 0; infos != NULL && i < count; i++)
		infos[i].pid = list[i];
	call_reply(call, &pb_pids_response,
		   &(struct pids_response){{infos, infos == NULL ? 0 : count, 0}});
}

static void
paused(struct job *job, const char *error)
{
	struct container *c = job->process->container;

	if (error != NULL) {
		call_fail(job->call, UNKNOWN, "runc pause failed: %s", error);
		return;
	}
	c->paused = true;
	events_publish("/tasks/paused", &pb_task_paused,
		       &(struct task_event){.container_id = str_of(c->id)});
	call_reply(job->call, NULL, NULL);
}

static void
resumed(struct job *job, const char *error)
{
	struct container *c = job->process->container;

	if (error != NULL) {
		call_fail(job->call, UNKNOWN, "runc resume failed: %s", error);
		return;
	}
	c->paused = false;
	events_publish("/tasks/resumed", &pb_task_resumed,
		       &(struct task_event){.container_id = str_of(c->id)});
	call_reply(job->call, NULL, NULL);
}

static void
pause_or_resume(struct call *call, struct str id, const char *command,
		void (*done)(struct job *job, const char *error))
{
	struct container *c = need_container(call, id);
	struct arguments a = {0};

	if (c == NULL)
		return;
	add_argument(&a, command);
	add_argument(&a, c->id);
	run(new_job(c->init, call, done), &a);
}

static void
do_pause(struct call *call, const struct request *request, const void *message)
{
	(void)request;
	pause_or_resume(call, ((const struct process_request *)message)->id, "pause", paused);
}

static void
do_resume(struct call *call, const struct request *request, const void *message)
{
	(void)request;
	pause_or_resume(call, ((const struct process_request *)message)->id, "resume", resumed);
}

static void
updated(struct job *job, const char *error)
{
	if (error != NULL)
		call_fail(job->call, UNKNOWN, "runc update failed: %s", error);
	else
		call_reply(job->call, NULL, NULL);
}

static void
do_update(struct call *call, const struct request *request, const void *message)
{
	const struct update_request *r = message;
	struct container *c = need_container(call, r->id);
	struct arguments a = {0};
	struct job *job;

	(void)request;
	if (c == NULL)
		return;
	job = new_job(c->init, call, updated);
	if (job != NULL)
		job->file = memory_file("resources", r->resources.value);
	add_argument(&a, "update");
	add_argument(&a, "--resources");
	add_argument(&a, "-");
	add_argument(&a, c->id);
	run(job, &a);
}

static void
checkpointed(struct job *job, const char *error)
{
	if (error != NULL)
		call_fail(job->call, UNKNOWN, "runc checkpoint failed: %s", error);
	else
		call_reply(job->call, NULL, NULL);
}

static void
do_checkpoint(struct call *call, const struct request *request, const void *message)
{
	const struct checkpoint_request *r = message;
	struct container *c = need_container(call, r->id);
	cleanup_arena struct arena arena = {0};
	cleanup_free char *path = str_copy(r->path);
	struct checkpoint_options o = {0};
	struct arguments a = {0};

	(void)request;
	if (c == NULL)
		return;
	if (path == NULL || (r->options.value.n > 0 &&
			     pb_decode(&pb_checkpoint_options, &o, r->options.value, &arena) < 0)) {
		call_fail(call, INVALID_ARGUMENT, "the checkpoint's path or options are malformed");
		return;
	}
	add_argument(&a, "checkpoint");
	add_argument(&a, "--image-path");
	add_argument(&a, path);
	if (!o.exit)
		add_argument(&a, "--leave-running");
	if (o.open_tcp)
		add_argument(&a, "--tcp-established");
	if (o.external_unix_sockets)
		add_argument(&a, "--ext-unix-sk");
	if (o.terminal)
		add_argument(&a, "--shell-job");
	if (o.file_locks)
		add_argument(&a, "--file-locks");
	add_argument(&a, c->id);
	run(new_job(c->init, call, checkpointed), &a);
}

static void
do_resize(struct call *call, const struct request *request, const void *message)
{
	const struct resize_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	int error;

	(void)request;
	if (p == NULL)
		return;
	error = io_resize(&p->io, r->width, r->height);
	/* An exec that is not started yet has no terminal; clients resize it at once all the same.
	 */
	if (error != 0 && !(error == -ENOTTY && p->state == CREATED))
		fail_with(call, error, "cannot resize the terminal");
	else
		call_reply(call, NULL, NULL);
}

static void
do_close_io(struct call *call, const struct request *request, const void *message)
{
	const struct close_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);

	(void)request;
	if (p == NULL)
		return;
	if (r->in)
		io_close_input(&p->io);
	call_reply(call, NULL, NULL);
}

static void
do_stats(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct container *c = need_container(call, r->id);
	cleanup_buf struct buf metrics = {0};
	const char *type = "";
	int error;

	(void)request;
	if (c == NULL)
		return;
	error = c->cgroup == NULL ? -ENOENT : cgroup_metrics(c->cgroup, &metrics, &type);
	if (error != 0)
		fail_with(call, error, "cannot read the cgroup");
	else
		call_reply(call, &pb_stats_response,
			   &(struct stats_response){{str_of(type), buf_str(&metrics)}});
}

static void
do_connect(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	const struct container *c = container_find(r->id);

	(void)request;
	call_reply(call, &pb_connect_response,
		   &(struct connect_response){
			   .shim_pid = (uint32_t)getpid(),
			   .task_pid = c == NULL ? 0 : (uint32_t)c->init->pid,
			   .version = STR(VERSION),
		   });
}

/* ---- the end ---- */

static void
end(void)
{
	ttrpc_flush(LAST_EVENTS_MS);
	events_flush(LAST_EVENTS_MS);
	loop_end();
}

static void
do_shutdown(struct call *call, const struct request *request, const void *message)
{
	(void)request;
	(void)message;
	if (!tasks_none()) {
		call_reply(call, NULL, NULL);
		return;
	}
	/* Before the answer: whoever starts a shim after it must get a new one. */
	unlink(socket_path);
	call_reply(call, NULL, NULL);
	end();
}

static void
idle_due(struct timer *timer)
{
	(void)timer;
	if (any_clients || !tasks_none())
		return;
	unlink(socket_path);
	end();
}

void
serve_clients(bool any)
{
	any_clients = any;
	if (any)
		timer_stop(&idle);
	else
		timer_start(&idle, IDLE_MS);
}

/* ---- our own ---- */

static void
do_reopen(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	int error;

	(void)request;
	if (p == NULL)
		return;
	error = p->io.log == NULL ? -EINVAL : log_reopen(p->io.log);
	if (error != 0)
		fail_with(call, error, "cannot reopen the log");
	else
		call_reply(call, NULL, NULL);
}

static void
do_counters(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);

	(void)request;
	if (p != NULL && p->io.log == NULL)
		call_fail(call, INVALID_ARGUMENT, "the process has no log");
	else if (p != NULL)
		call_reply(call, &pb_log_counters, &p->io.log->counters);
}

static void
do_drain(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);

	(void)request;
	if (p == NULL)
		return;
	if (!io_busy(&p->io)) {
		call_reply(call, NULL, NULL);
		return;
	}
	p->io.drained = drained;
	list_append(&p->drainers, &call->waiting);
}

static void
do_attach(struct call *call, const struct request *request, const void *message)
{
	const struct process_request *r = message;
	struct process *p = need_process(call, r->id, r->exec_id);
	int error;

	(void)request;
	if (p == NULL)
		return;
	if (p->published) {
		call_fail(call, FAILED_PRECONDITION, "the process has ended");
		return;
	}
	error = attach(&p->io, call);
	if (error != 0)
		log_warn("cannot attach to %s: %s", p->container->id, strerror(-error));
}

typedef void handler(struct call *call, const struct request *request, const void *message);

struct method {
	const char *name;
	const struct pb_message *request;
	handler *handle;
};

static const struct method task_methods[] = {
	{"Create", &pb_create_request, do_create},
	{"Start", &pb_start_request, do_start},
	{"Delete", &pb_delete_request, do_delete},
	{"Exec", &pb_exec_request, do_exec},
	{"State", &pb_state_request, do_state},
	{"Wait", &pb_wait_request, do_wait},
	{"Kill", &pb_kill_request, do_kill},
	{"Pids", &pb_pids_request, do_pids},
	{"Pause", &pb_pause_request, do_pause},
	{"Resume", &pb_resume_request, do_resume},
	{"Checkpoint", &pb_checkpoint_request, do_checkpoint},
	{"ResizePty", &pb_resize_request, do_resize},
	{"CloseIO", &pb_close_request, do_close_io},
	{"Update", &pb_update_request, do_update},
	{"Stats", &pb_stats_request, do_stats},
	{"Connect", &pb_connect_request, do_connect},
	{"Shutdown", &pb_shutdown_request, do_shutdown},
};

static const struct method stream_methods[] = {
	{"Reopen", &pb_wait_request, do_reopen},
	{"Counters", &pb_wait_request, do_counters},
	{"Drain", &pb_wait_request, do_drain},
	{"Attach", &pb_wait_request, do_attach},
};

static const struct method *
find_method(const struct request *r)
{
	bool task = str_is(r->service, "containerd.task.v2.Task") ||
		    str_is(r->service, "containerd.task.v3.Task");
	const struct method *all = task ? task_methods : stream_methods;
	size_t count = task ? sizeof(task_methods) / sizeof(*task_methods)
			    : sizeof(stream_methods) / sizeof(*stream_methods);

	if (!task && !str_is(r->service, "gantry.shim.v1.Streams"))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (str_is(r->method, all[i].name))
			return &all[i];
	return NULL;
}

void
serve_call(struct call *call, const struct request *request)
{
	cleanup_arena struct arena arena = {0};
	_Alignas(16) char message[512];
	const struct method *method = find_method(request);

	if (method == NULL) {
		call_fail(call, UNIMPLEMENTED, "there is no method %.*s/%.*s",
			  (int)request->service.n, request->service.p, (int)request->method.n,
			  request->method.p);
		return;
	}
	if (method->request->size > sizeof(message) ||
	    pb_decode(method->request, message, request->payload, &arena) < 0)
		call_fail(call, INVALID_ARGUMENT, "a malformed request of %s", method->name);
	else
		method->handle(call, request, message);
}

void
calls_open(const char *in_namespace, const char *path, int fd)
{
	namespace = in_namespace;
	socket_path = path;
	idle.fire = idle_due;
	if (ttrpc_serve(fd) == 0)
		serve_clients(false);
}
