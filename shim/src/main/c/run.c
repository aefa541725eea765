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

/* What was found at the start, for those we spawn. */
static char *oom_score;
static struct rlimit files;

static LIST_HEAD(jobs);
static struct watch signals = {.fd = -1};

void set_limits(void) {
	static const char *const file = "/proc/self/oom_score_adj";

	oom_score = read_text(AT_FDCWD, file);
	if (write_text(file, "-998") != 0) write_text(file, "0");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){files.rlim_max, files.rlim_max});
}

/*
 * In the child, which has our memory until it runs the program: only system
 * calls, and no cleanup that would touch what is ours.
 */
static int become(const struct spawn *s, char *const *argv) {
	int count = s->count == 0 ? 3 : s->count, fds[6];
	sigset_t none;

	if (!s->outlives_us) prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* First out of the way of 0 to 5, then to their places; all above is O_CLOEXEC. */
	for (int i = 0; i < count; i++) {
		bool null = s->count == 0 || s->fds[i] < 0;
		int fd = null ? open("/dev/null", O_RDWR | O_CLOEXEC) : s->fds[i];

		if (fd < 0 || (fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, count)) < 0) return errno;
	}
	for (int i = 0; i < count; i++)
		if (dup2(fds[i], i) < 0) return errno;
	if (s->directory != NULL && chdir(s->directory) < 0) return errno;
	if (oom_score != NULL)
		write_text("/proc/self/oom_score_adj", oom_score); /* or it keeps ours */
	if (files.rlim_max > 0) setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < count_of(ignored_signals); i++)
		signal(ignored_signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	return errno;
}

static __attribute__((noinline)) int start(const struct spawn *s, char *const *argv, pid_t *pid) {
	volatile int error = 0;

	*pid = vfork();
	if (*pid == 0) {
		error = become(s, argv);
		_exit(127);
	}
	return *pid < 0 ? errno : error;
}

pid_t spawn(const struct spawn *s) {
	const char *argv[MAX_ARGUMENTS] = {0};
	size_t count = 0;
	pid_t pid;

	for (size_t i = 0; s->argv[i] != NULL && count < MAX_ARGUMENTS - 1; i++)
		if (s->argv[i][0] != '\0') argv[count++] = s->argv[i];
	int error = start(s, (char *const *)argv, &pid);
	/* A child that could not run the program is left to the reaper, which does not know it. */
	return error != 0 ? -error : pid;
}

pid_t spawn_runc(const struct settings *s, const char *log, const char *const *command,
		 struct spawn *spawn_as) {
	const char *argv[MAX_ARGUMENTS] = {
		s->binary, "--root",	   s->root, "--log",
		log,	   "--log-format", "json",  s->systemd_cgroup ? "--systemd-cgroup" : ""};

	for (size_t i = 8; *command != NULL && i < MAX_ARGUMENTS - 1; i++)
		argv[i] = *command++;
	spawn_as->argv = argv;
	return spawn(spawn_as);
}

/* ---- runs of runc ---- */

static void limit_due(struct timer *timer) {
	struct job *job = owner_of(timer, struct job, limit);

	job->timed_out = true;
	kill(job->pid, SIGKILL);
}

struct job *job_new(struct process *p, struct call *call,
		    void (*done)(struct job *job, const char *error)) {
	struct job *job = calloc(1, sizeof(*job));

	if (job != NULL)
		*job = (struct job){.process = p,
				    .call = call,
				    .done = done,
				    .log = -1,
				    .input = -1,
				    .limit.fire = limit_due};
	return job;
}

void job_free(struct job *job) {
	if (job == NULL) return;
	timer_stop(&job->limit);
	close_fd(&job->log);
	close_fd(&job->input);
	free(job->reason);
	free(job);
}

void jobs_hurry(const struct process *p, int ms) {
	list_each(job, &jobs, struct job, node)
		if (job->process == p && job->limit.at > now_ms() + ms)
			timer_start(&job->limit, ms);
}

/*
 * The log is a memory file, which runc opens by its name below our /proc
 * entry: no file is left in the bundle, and no descriptor is handed on.
 */
int job_run(struct job *job, const char *const *command, const int fds[3]) {
	if (job == NULL) return -ENOMEM;
	const struct container *c = job->process->container;
	int64_t ms = job->limit_ms > 0 ? job->limit_ms : job->call->timeout_nano / 1000000;
	struct spawn run = {.directory = c->bundle, .fds = {job->input, -1, -1}, .count = 3};

	if (fds != NULL) memcpy(run.fds, fds, 3 * sizeof(*fds));
	job->command = command[0];
	job->log = job->pid = memory_file("runc-log", (struct str){0});
	cleanup_free char *log = str_format("/proc/%d/fd/%d", getpid(), job->log);
	if (job->log >= 0)
		job->pid = log == NULL ? -ENOMEM : spawn_runc(&c->settings, log, command, &run);
	if (job->pid < 0) {
		int error = job->pid;
		job_free(job);
		return error;
	}
	timer_start(&job->limit, ms > 0 && ms < LIMIT_MS ? (int)ms : LIMIT_MS);
	list_append(&jobs, &job->node);
	job->process->busy++;
	return 0;
}

/* The last error in its log is the one that made runc end. */
static char *logged_error(int log) {
	cleanup_buf struct buf text = {0};
	char *error = NULL, *line;

	if (lseek(log, 0, SEEK_SET) < 0 || read_fd(log, &text, MAX_LOG) == -ENOMEM) return NULL;
	buf_put(&text, "", 1);
	char *rest = text.failed ? NULL : (char *)text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		cleanup_free char *level = json_text(json_member(line, "level"));

		if (level != NULL && (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0)) {
			free(error);
			error = json_text(json_member(line, "msg"));
		}
	}
	return error;
}

static void job_ended(struct job *job, int status) {
	const char *binary = job->process->container->settings.binary;
	cleanup_free char *error = NULL;

	list_remove(&job->node);
	job->process->busy--;
	if (job->timed_out)
		error = str_format("%s did not end in time and was killed", binary);
	else if (status != 0)
		error = logged_error(job->log);
	if (error == NULL && WIFSIGNALED(status))
		error = str_format("%s was killed by signal %d", binary, WTERMSIG(status));
	else if (error == NULL && status != 0)
		error = str_format("%s ended with status %d and said nothing", binary,
				   WEXITSTATUS(status));
	job->done(job, error);
	job_free(job);
}

/* ---- the reaper ---- */

static void ended(pid_t pid, int status) {
	list_each(job, &jobs, struct job, node)
		if (job->pid == pid) {
			job_ended(job, status);
			return;
		}
	task_exited(pid, status);
}

/* Whether one of the children that PID means has ended. */
static bool fetch(pid_t pid) {
	int status;

	pid = waitpid(pid, &status, WNOHANG);
	if (pid > 0) ended(pid, status);
	return pid > 0;
}

static bool reap_one(void) {
	bool making = false;

	list_each(job, &jobs, struct job, node)
		making |= job->makes_process;
	if (!making) return fetch(-1);
	list_each(job, &jobs, struct job, node)
		if (fetch(job->pid)) return true; /* the list has changed */
	return tasks_each(fetch);
}

static void signals_ready(struct watch *watch, uint32_t events) {
	struct signalfd_siginfo info[8];

	if (!(events & EPOLLIN) || read(watch->fd, info, sizeof(info)) <= 0) return;
	while (reap_one())
		continue;
	tasks_settle();
}

int reaper_open(void) {
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signals = (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), 0, signals_ready};
	return signals.fd < 0 ? -errno : loop_want(&signals, EPOLLIN);
}
