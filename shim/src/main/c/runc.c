/* runc.c: runs runc, and reads what it says. */
#include "json.h"
#include "shim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A runc that takes longer hangs; the caller may set a shorter limit. */
enum { LIMIT_MS = 120000, MAX_LOG = 256 << 10 };

static LIST_HEAD(jobs);

void
add_argument(struct arguments *a, const char *argument)
{
	if (a->count < MAX_ARGUMENTS - 1)
		a->list[a->count++] = argument;
}

void
runc_arguments(struct arguments *a, const struct settings *s, const char *log)
{
	add_argument(a, s->binary);
	add_argument(a, "--root");
	add_argument(a, s->root);
	add_argument(a, "--log");
	add_argument(a, log);
	add_argument(a, "--log-format");
	add_argument(a, "json");
	if (s->systemd_cgroup)
		add_argument(a, "--systemd-cgroup");
}

static void
limit_due(struct timer *timer)
{
	struct job *job = owner_of(timer, struct job, limit);

	job->timed_out = true;
	kill(job->pid, SIGKILL);
}

static int
limit_of(const struct job *job)
{
	int64_t ms = job->call == NULL ? 0 : job->call->timeout_nano / 1000000;

	return ms > 0 && ms < LIMIT_MS ? (int)ms : LIMIT_MS;
}

/*
 * The log is a memory file, which runc opens by its name below our /proc
 * entry: no file is left in the bundle, and no descriptor is handed on.
 */
int
runc_begin(struct job *job, const struct arguments *command, const int fds[3], int input)
{
	const struct container *c = job->process->container;
	cleanup_free char *log = NULL;
	struct arguments all = {0};
	struct spawn run = {
		.argv = all.list, .directory = c->bundle, .fds = {input, -1, -1, -1, -1, -1}};

	job->log = memory_file("runc-log", (struct str){0});
	if (job->log < 0)
		return job->log;
	log = str_format("/proc/%d/fd/%d", getpid(), job->log);
	runc_arguments(&all, &c->settings, log);
	for (int i = 0; i < command->count; i++)
		add_argument(&all, command->list[i]);
	if (fds != NULL)
		memcpy(run.fds, fds, 3 * sizeof(*fds));
	job->pid = log == NULL ? -ENOMEM : spawn(&run);
	if (job->pid < 0) {
		close_fd(&job->log);
		return job->pid;
	}
	job->limit = (struct timer){.fire = limit_due};
	timer_start(&job->limit, limit_of(job));
	list_append(&jobs, &job->node);
	job->process->busy++;
	return 0;
}

/* The last error in the log is the one that made runc end. */
char *
runc_error(int log)
{
	cleanup_buf struct buf text = {0};
	char *error = NULL;
	struct str rest;

	if (lseek(log, 0, SEEK_SET) < 0 || read_fd(log, &text, MAX_LOG) == -ENOMEM)
		return NULL;
	rest = buf_str(&text);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct str line = {rest.p, end == NULL ? rest.n : (size_t)(end - rest.p)};
		cleanup_free char *level = json_text(json_member(line, "level"));

		if (level != NULL && (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0)) {
			free(error);
			error = json_text(json_member(line, "msg"));
		}
		rest.p += line.n + (end != NULL);
		rest.n -= line.n + (end != NULL);
	}
	return error;
}

bool
jobs_make_processes(void)
{
	list_each(job, &jobs, struct job, node) if (job->makes_process) return true;
	return false;
}

struct job *
job_find(pid_t pid)
{
	list_each(job, &jobs, struct job, node) if (job->pid == pid) return job;
	return NULL;
}

bool
jobs_each(bool (*visit)(pid_t pid))
{
	list_each(job, &jobs, struct job, node) if (visit(job->pid)) return true;
	return false;
}

void
job_ended(struct job *job, int status)
{
	cleanup_free char *error = NULL;

	list_remove(&job->node);
	timer_stop(&job->limit);
	job->process->busy--;
	if (job->timed_out)
		error = str_format("%s did not end in time and was killed",
				   job->process->container->settings.binary);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		error = runc_error(job->log);
	if (error == NULL && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		error = WIFEXITED(status) ? str_format("%s ended with status %d and said nothing",
						       job->process->container->settings.binary,
						       WEXITSTATUS(status))
					  : str_format("%s was killed by signal %d",
						       job->process->container->settings.binary,
						       WTERMSIG(status));
	close_fd(&job->log);
	close_fd(&job->file);
	job->done(job, error);
	free(job);
}
