/*
 * run.c: runs programs, runc above all, and fetches dead children, known ones
 * and those that were left to us as the subreaper.
 *
 * While runc makes a process whose pid it has not told yet, only known
 * children are fetched: the exit of a process that dies at once must not be
 * taken for that of an orphan.
 */
#include "shim.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

/* A runc that takes longer hangs; the caller may set a shorter limit. */
enum { LIMIT_MS = 120000, MAX_LOG = 256 << 10 };

extern char **environ;

/* What was found at the start, for those we spawn. */
static char *oom_score;
static struct rlimit files;

static LIST_HEAD(jobs);
static struct watch signals = {.fd = -1};

void set_limits(void)
{
	static const char *const file = "/proc/self/oom_score_adj";
	struct rlimit all;

	oom_score = read_text(AT_FDCWD, file);
	if (write_text(file, "-998") != 0 && write_text(file, "0") != 0)
		free_pointer(&oom_score);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		all = (struct rlimit){files.rlim_max, files.rlim_max};
		setrlimit(RLIMIT_NOFILE, &all);
	}
}

/* ---- programs ---- */

/*
 * In the child, which has our memory until it runs the program: only system
 * calls, and no cleanup that would touch what is ours.
 */
static int become(const struct spawn *s, const char *path, char *const *argv, char *const *env)
{
	static const int ignored[] = {SIGPIPE, SIGTERM, SIGHUP, SIGINT};
	struct sigaction plain = {.sa_handler = SIG_DFL};
	int count = s->count == 0 ? 3 : s->count, fds[6];
	sigset_t none;

	if (!s->outlives_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* First out of the way of 0 to 5, then to their places. */
	for (int i = 0; i < count; i++) {
		int fd = s->count == 0 || s->fds[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
							: s->fds[i];

		fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, count);
		if (fds[i] < 0)
			return errno;
	}
	/* Above them everything is O_CLOEXEC. */
	for (int i = 0; i < count; i++)
		if (dup2(fds[i], i) < 0)
			return errno;
	if (s->directory != NULL && chdir(s->directory) < 0)
		return errno;
	if (oom_score != NULL)
		write_text("/proc/self/oom_score_adj", oom_score); /* or it keeps ours */
	if (files.rlim_max > 0)
		setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < count_of(ignored); i++)
		sigaction(ignored[i], &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, argv, env);
	return errno;
}

/* The program, looked up in PATH if its name has no slash. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	struct str rest = path != NULL ? str_of(path) : STR("/usr/sbin:/usr/bin:/sbin:/bin");

	if (strchr(name, '/') != NULL)
		return strdup(name);
	while (rest.n > 0) {
		struct str part = str_cut(&rest, ':');
		char *candidate = str_format("%.*s/%s", (int)part.n, part.p, name);

		if (candidate == NULL || (part.n > 0 && access(candidate, X_OK) == 0))
			return candidate;
		free(candidate);
	}
	return NULL;
}

static pid_t __attribute__((noinline))
start(const struct spawn *s, const char *path, char *const *argv, char *const *env,
      volatile int *error)
{
	pid_t pid = vfork();

	if (pid == 0) {
		*error = become(s, path, argv, env);
		_exit(127);
	}
	return pid;
}

pid_t spawn(const struct spawn *s)
{
	cleanup_free char *path = find_program(s->argv[0]);
	cleanup_free char **env = NULL;
	const char *argv[MAX_ARGUMENTS] = {0};
	size_t count = 0;
	volatile int error = 0;
	pid_t pid;

	for (size_t i = 0; s->argv[i] != NULL && count < MAX_ARGUMENTS - 1; i++)
		if (s->argv[i][0] != '\0')
			argv[count++] = s->argv[i];
	for (count = 0; environ[count] != NULL;)
		count++;
	env = calloc(count + 3, sizeof(*env));
	if (path == NULL)
		return -ENOENT;
	if (env == NULL)
		return -ENOMEM;
	memcpy(env, environ, count * sizeof(*env));
	env[count] = (char *)(uintptr_t)s->environment;
	env[count + 1] = (char *)(uintptr_t)(s->environment == NULL ? NULL : s->environment2);
	pid = start(s, path, (char *const *)argv, env, &error);
	/* A child that could not run the program is left to the reaper, which does not know it. */
	return pid < 0 ? -errno : error != 0 ? -error : pid;
}

pid_t spawn_runc(const struct settings *s, const char *log, const char *const *command,
		 struct spawn *spawn_as)
{
	const char *argv[MAX_ARGUMENTS] = {
		s->binary, "--root",	   s->root, "--log",
		log,	   "--log-format", "json",  s->systemd_cgroup ? "--systemd-cgroup" : ""};

	for (size_t i = 8; *command != NULL && i < MAX_ARGUMENTS - 1; i++)
		argv[i] = *command++;
	spawn_as->argv = argv;
	return spawn(spawn_as);
}

void wait_for(pid_t pid)
{
	int status;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
}

/* ---- runs of runc ---- */

static void limit_due(struct timer *timer)
{
	struct job *job = owner_of(timer, struct job, limit);

	job->timed_out = true;
	kill(job->pid, SIGKILL);
}

struct job *job_new(struct process *p, struct call *call,
		    void (*done)(struct job *job, const char *error))
{
	struct job *job = calloc(1, sizeof(*job));

	if (job != NULL)
		*job = (struct job){
			.log = -1, .input = -1, .process = p, .call = call, .done = done};
	return job;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	timer_stop(&job->limit);
	close_fd(&job->log);
	close_fd(&job->input);
	free(job);
}

/*
 * The log is a memory file, which runc opens by its name below our /proc
 * entry: no file is left in the bundle, and no descriptor is handed on.
 */
int job_run(struct job *job, const char *const *command, const int fds[3])
{
	int64_t ms = job == NULL ? 0 : job->call->timeout_nano / 1000000;
	const struct container *c;
	cleanup_free char *log = NULL;
	struct spawn run = {.fds = {-1, -1, -1}, .count = 3};

	if (job == NULL)
		return -ENOMEM;
	c = job->process->container;
	run.directory = c->bundle;
	run.fds[0] = job->input;
	if (fds != NULL)
		memcpy(run.fds, fds, 3 * sizeof(*fds));
	job->command = command[0];
	job->log = memory_file("runc-log", (struct str){0});
	log = str_format("/proc/%d/fd/%d", getpid(), job->log);
	job->pid = job->log < 0	 ? job->log
		   : log == NULL ? -ENOMEM
				 : spawn_runc(&c->settings, log, command, &run);
	if (job->pid < 0) {
		int error = job->pid;

		job_free(job);
		return error;
	}
	job->limit.fire = limit_due;
	timer_start(&job->limit, ms > 0 && ms < LIMIT_MS ? (int)ms : LIMIT_MS);
	list_append(&jobs, &job->node);
	job->process->busy++;
	return 0;
}

/* The last error in its log is the one that made runc end. */
static char *logged_error(int log)
{
	cleanup_buf struct buf text = {0};
	char *error = NULL, *line, *rest;

	if (lseek(log, 0, SEEK_SET) < 0 || read_fd(log, &text, MAX_LOG) == -ENOMEM)
		return NULL;
	buf_put(&text, "", 1);
	rest = text.failed ? NULL : (char *)text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		cleanup_free char *level = json_text(json_member(line, "level"));

		if (level != NULL && (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0)) {
			free(error);
			error = json_text(json_member(line, "msg"));
		}
	}
	return error;
}

static void job_ended(struct job *job, int status)
{
	const char *binary = job->process->container->settings.binary;
	cleanup_free char *error = NULL;

	list_remove(&job->node);
	job->process->busy--;
	if (job->timed_out)
		error = str_format("%s did not end in time and was killed", binary);
	else if (status != 0)
		error = logged_error(job->log);
	if (error == NULL && status != 0)
		error = str_format(WIFEXITED(status) ? "%s ended with status %d and said nothing"
						     : "%s was killed by signal %d",
				   binary,
				   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	job->done(job, error);
	job_free(job);
}

/* ---- the reaper ---- */

static void ended(pid_t pid, int status)
{
	list_each(job, &jobs, struct job, node)
		if (job->pid == pid) {
			job_ended(job, status);
			return;
		}
	task_exited(pid, status);
}

static bool look_at(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	ended(pid, status);
	return true;
}

static bool reap_one(void)
{
	bool making = false;
	pid_t pid;
	int status;

	list_each(job, &jobs, struct job, node)
		making |= job->makes_process;
	if (making) {
		list_each(job, &jobs, struct job, node)
			if (look_at(job->pid))
				return true; /* the list has changed */
		return tasks_each(look_at);
	}
	pid = waitpid(-1, &status, WNOHANG);
	if (pid > 0)
		ended(pid, status);
	return pid > 0;
}

static void signals_ready(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info[8];

	if (!(events & EPOLLIN) || read(watch->fd, info, sizeof(info)) <= 0)
		return;
	while (reap_one())
		continue;
	tasks_settle();
}

int reaper_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signals = (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), 0, signals_ready};
	return signals.fd < 0 ? -errno : loop_want(&signals, EPOLLIN);
}
