/* spawn.c: starts programs with nothing of ours but what they are given. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/* What was found at the start, for those we spawn. */
static char oom_score[16];
static size_t oom_score_length;

void
set_oom_score(void)
{
	static const char *const wanted[] = {"-998", "0"};
	cleanup_buf struct buf found = {0};

	if (read_file(AT_FDCWD, "/proc/self/oom_score_adj", &found, 64) < 0 ||
	    found.len >= sizeof(oom_score) || found.len == 0)
		return;
	memcpy(oom_score, found.data, found.len);
	for (size_t i = 0; i < 2; i++)
		if (write_file(AT_FDCWD, "/proc/self/oom_score_adj", wanted[i], strlen(wanted[i]),
			       0) == 0) {
			oom_score_length = found.len;
			return;
		}
}

/*
 * In the child, which has our memory until it runs the program: only system
 * calls, and no cleanup that would touch what is ours.
 */
static int
become(const struct spawn *s, const char *path, char *const *environment)
{
	const int count = sizeof(s->fds) / sizeof(*s->fds);
	int fds[sizeof(s->fds) / sizeof(*s->fds)];
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;

	if (!s->outlives_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* First out of the way of 0 to 5, then to their places. */
	for (int i = 0; i < count; i++) {
		fds[i] = s->fds[i];
		if (fds[i] < 0 && i < 3)
			fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fds[i] >= 0)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, count);
		if (fds[i] < 0 && (i < 3 || s->fds[i] >= 0))
			return errno;
	}
	for (int i = 0; i < count; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			return errno;
	/* Descriptors 3 and up are all O_CLOEXEC; what we were started with may not be. */
	for (int i = 3; i < count; i++)
		if (fds[i] < 0)
			close(i);
	if (s->directory != NULL && chdir(s->directory) < 0)
		return errno;
	if (oom_score_length > 0) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, oom_score, oom_score_length) < 0)
			errno = 0; /* it keeps ours */
	}
	sigaction(SIGPIPE, &plain, NULL);
	sigaction(SIGTERM, &plain, NULL);
	sigaction(SIGHUP, &plain, NULL);
	sigaction(SIGINT, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, (char *const *)s->argv, environment);
	return errno;
}

/* The program, looked up in PATH if its name has no slash. */
static char *
find_program(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') != NULL)
		return strdup(name);
	if (path == NULL)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path != '\0') {
		size_t n = strcspn(path, ":");
		char *candidate = str_format("%.*s/%s", (int)n, path, name);

		if (candidate == NULL || (n > 0 && access(candidate, X_OK) == 0))
			return candidate;
		free(candidate);
		path += n + (path[n] == ':');
	}
	return NULL;
}

static char **
make_environment(const char *const *more)
{
	size_t count = 0, extra = 0;
	char **all;

	while (environ[count] != NULL)
		count++;
	while (more != NULL && more[extra] != NULL)
		extra++;
	all = calloc(count + extra + 1, sizeof(*all));
	if (all == NULL)
		return NULL;
	memcpy(all, environ, count * sizeof(*all));
	for (size_t i = 0; i < extra; i++)
		all[count + i] = (char *)(uintptr_t)more[i];
	return all;
}

static pid_t __attribute__((noinline))
start(const struct spawn *s, const char *path, char *const *environment, volatile int *error)
{
	pid_t pid = vfork();

	if (pid == 0) {
		*error = become(s, path, environment);
		_exit(127);
	}
	return pid;
}

pid_t
spawn(const struct spawn *s)
{
	cleanup_free char *path = find_program(s->argv[0]);
	cleanup_free char **environment = make_environment(s->environment);
	volatile int error = 0;
	pid_t pid;

	if (path == NULL)
		return -ENOENT;
	if (environment == NULL)
		return -ENOMEM;
	pid = start(s, path, environment, &error);
	/* A child that could not run the program is left to the reaper, which does not know it. */
	return pid < 0 ? -errno : error != 0 ? -error : pid;
}
