/* task.c: containers and processes, and how their exits become known. */
#include "shim.h"

#include <sys/syscall.h>

/* So long a start may go on when its container has ended. */
enum { LATE_START_MS = 10000 };

static LIST_HEAD(containers);

struct timestamp now_stamp(void) {
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct timestamp){t.tv_sec, t.tv_nsec};
}

bool tasks_none(void) {
	return list_empty(&containers);
}

bool tasks_gone(void) {
	struct stat status;

	list_each(c, &containers, struct container, node)
		if (c->init->state != STOPPED ||
		    (fstat(c->directory, &status) == 0 && status.st_nlink > 0))
			return false;
	return true;
}

struct container *container_find(struct str id) {
	list_each(c, &containers, struct container, node)
		if (str_is(id, c->id)) return c;
	return NULL;
}

struct process *process_find(struct container *c, struct str exec_id) {
	list_each(p, &c->processes, struct process, node)
		if (str_is(exec_id, p->exec_id == NULL ? "" : p->exec_id)) return p;
	return NULL;
}

static void tell_of_oom(struct container *c) {
	uint64_t kills = c->cgroup == NULL ? 0 : cgroup_oom_kills(c->cgroup);

	if (kills > c->oom_kills) PUBLISH("/tasks/oom", task_oom, str_of(c->id));
	if (kills > 0) c->oom_kills = kills;
}

static void oom_ready(struct watch *watch, uint32_t events) {
	struct container *c = owner_of(watch, struct container, oom);
	char data[512];

	tell_of_oom(c);
	/* An eventfd also tells that the cgroup was removed; a v2 file then fails. */
	if (events & EPOLLHUP ||
	    (pread(watch->fd, data, sizeof(data), 0) < 0 && read(watch->fd, data, 8) < 0))
		loop_close(watch);
}

int container_new(struct container **out, struct str id, struct str bundle) {
	struct container *c = calloc(1, sizeof(*c));
	int error = -ENOMEM;

	if (c == NULL) return error;
	c->directory = -1;
	c->oom = (struct watch){-1, 0, oom_ready};
	c->gate.fd = -1;
	list_init(&c->processes);
	list_append(&containers, &c->node);
	c->id = str_copy(id);
	c->bundle = str_copy(bundle);
	c->init = process_new(c, (struct str){0});
	if (c->id != NULL && c->bundle != NULL && c->init != NULL) {
		c->directory = open(c->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = c->directory < 0 ? -errno : 0;
	}
	if (error != 0) container_free(c);
	*out = c;
	return error;
}

struct process *process_new(struct container *c, struct str exec_id) {
	struct process *p = calloc(1, sizeof(*p));

	if (p == NULL) return NULL;
	p->container = c;
	p->pidfd = -1;
	if (exec_id.n > 0) p->exec_id = str_copy(exec_id);
	list_init(&p->waiters);
	list_init(&p->drainers);
	io_init(&p->io, false, (struct str){0}, (struct str){0}, (struct str){0});
	list_append(&c->processes, &p->node);
	return p;
}

void process_free(struct process *p) {
	list_each(call, &p->waiters, struct call, waiting)
		call_fail(call, NOT_FOUND, "the process was deleted");
	list_each(call, &p->drainers, struct call, waiting)
		call_fail(call, NOT_FOUND, "the process was deleted");
	if (p->deleting != NULL) call_fail(p->deleting, NOT_FOUND, "the process was deleted");
	list_remove(&p->node);
	timer_stop(&p->drain);
	io_free(&p->io);
	buf_free(&p->spec);
	close_fd(&p->pidfd);
	free(p->exec_id);
	free(p->started);
	free(p);
}

void container_free(struct container *c) {
	list_each(p, &c->processes, struct process, node)
		process_free(p);
	list_remove(&c->node);
	loop_close(&c->oom);
	loop_close(&c->gate);
	timer_stop(&c->gate_limit);
	settings_free(&c->settings);
	close_fd(&c->directory);
	free(c->cgroup);
	free(c->bundle);
	free(c->id);
	free(c);
}

int process_made(struct process *p, const char *pid_file) {
	struct container *c = p->container;
	cleanup_free char *text = read_text(c->directory, pid_file);
	long pid = text == NULL ? 0 : strtol(text, NULL, 10);
	siginfo_t info;

	/* Our child it must be, dead or alive: until it is fetched the pid is its own. */
	if (pid <= 1 || pid > INT32_MAX ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -EBADMSG;
	p->pid = (pid_t)pid;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	p->started = start_time(p->pid);
	if (p != c->init) return 0;
	c->cgroup = cgroup_of(p->pid);
	if (c->cgroup != NULL && cgroup_watch_oom(c->cgroup, &c->oom) != 0)
		log_warn("cannot watch the memory of %s", c->id);
	return 0;
}

int process_signal(const struct process *p, int signal) {
	if (p->pidfd >= 0)
		return syscall(SYS_pidfd_send_signal, p->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
	/* There was no descriptor left for it; see process_made. */
	return p->exited || kill(p->pid, signal) < 0 ? -ESRCH : 0;
}

static void finish(struct process *p) {
	p->state = STOPPED;
	p->exited = p->published = true;
	close_fd(&p->pidfd);
	list_each(call, &p->waiters, struct call, waiting)
		reply_wait(call, p);
	io_close_input(&p->io);
	if (!io_busy(&p->io)) clients_end(&p->io);
}

void process_failed(struct process *p) {
	p->exit_status = 255;
	p->exited_at = now_stamp();
	finish(p);
}

static void publish(struct process *p) {
	struct container *c = p->container;

	if (p == c->init) tell_of_oom(c);
	exit_save(p);
	PUBLISH("/tasks/exit", task_exit, str_of(c->id),
		str_of(p->exec_id == NULL ? c->id : p->exec_id), (uint64_t)p->pid, p->exit_status,
		p->exited_at);
	finish(p);
	if (p->deleting != NULL) delete_process(p);
}

void task_exited(pid_t pid, int status) {
	list_each(c, &containers, struct container, node) {
		list_each(p, &c->processes, struct process, node) {
			if (p->pid != pid || p->exited) continue;
			p->exited = true;
			p->exited_at = now_stamp();
			p->exit_status = (uint32_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
									: WEXITSTATUS(status));
			return;
		}
	}
}

bool tasks_each(bool (*visit)(pid_t pid)) {
	list_each(c, &containers, struct container, node)
		list_each(p, &c->processes, struct process, node)
			if (p->pid > 0 && !p->exited && visit(p->pid)) return true;
	return false;
}

/*
 * Whether execs live on after the first process, as in a pid namespace that is
 * not their own, or are just being started.
 */
static bool others_live(struct container *c) {
	bool live = false;

	list_each(p, &c->processes, struct process, node) {
		if (p == c->init || p->state == CREATED || p->published) continue;
		if (p->pid > 0)
			process_signal(p, SIGKILL);
		else
			jobs_hurry(p, LATE_START_MS);
		live = true;
	}
	return live;
}

static void settle(struct container *c) {
	struct process *init = c->init;

	if (init->exited) start_settle(c);
	/* The exit of the first comes last, and no exit comes before its start. */
	list_each(p, &c->processes, struct process, node)
		if (p != init && p->exited && !p->published && p->state != STARTING) publish(p);
	if (!init->exited || init->published || init->state == STARTING) return;
	if (c->cgroup != NULL && cgroup_kill(c->cgroup, SIGKILL) == 0) cgroup_thaw(c->cgroup);
	if (!others_live(c)) publish(init);
}

void tasks_settle(void) {
	list_each(c, &containers, struct container, node) {
		settle(c);
		delete_resume(c);
	}
}
