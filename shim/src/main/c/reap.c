/*
 * reap.c: fetches dead children, known ones and those that were left to us as
 * the subreaper.
 *
 * Processes of containers are our children (runc leaves them to us), and a
 * child that nobody has fetched keeps its pid.  So kill(2) cannot hit a
 * stranger here, and pidfds would add nothing but a descriptor for each.
 *
 * While runc makes a process whose pid it has not told yet, only known
 * children are fetched: the exit of a process that dies at once must not be
 * taken for that of an orphan.
 */
#include "shim.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static struct watch signals = {.fd = -1};

static void
ended(pid_t pid, int status)
{
	struct job *job = job_find(pid);

	if (job != NULL)
		job_ended(job, status);
	else
		task_exited(pid, status);
}

static bool
look_at(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	ended(pid, status);
	return true;
}

static bool
reap_one(void)
{
	int status;
	pid_t pid;

	if (jobs_make_processes())
		return jobs_each(look_at) || tasks_each(look_at);
	pid = waitpid(-1, &status, WNOHANG);
	if (pid > 0)
		ended(pid, status);
	return pid > 0;
}

void
reap(void)
{
	while (reap_one())
		continue;
	tasks_settle();
}

static void
signals_ready(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info[8];

	(void)events;
	if (read(watch->fd, info, sizeof(info)) > 0)
		reap();
}

int
reaper_open(void)
{
	sigset_t set;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signals = (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signals_ready};
	if (signals.fd < 0)
		return -errno;
	return loop_add(&signals, EPOLLIN);
}
