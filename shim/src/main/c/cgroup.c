/*
 * cgroup.c: the cgroup of a container, read and written without runc, on v1
 * and v2.  The hierarchies are looked for where every distribution has them,
 * below /sys/fs/cgroup.
 */
#include "shim.h"

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>

#define ROOT "/sys/fs/cgroup"

enum { CGROUP2_MAGIC = 0x63677270, MAX_DEPTH = 16 };

bool cgroup_is_v2(void) {
	static int known = -1;
	struct statfs fs;

	if (known < 0) known = statfs(ROOT, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
	return known == 1;
}

/* The path in "2:cpu,memory:/path" of /proc/PID/cgroup, in "0::/path" with v2; empty if there is
 * none. */
static struct str path_in(const char *places, const char *controller) {
	struct str rest = str_of(places);

	while (rest.n > 0) {
		struct str path = str_cut(&rest, '\n'), controllers;

		str_cut(&path, ':');
		controllers = str_cut(&path, ':');
		do
			if (str_is(str_cut(&controllers, ','), controller)) return path;
		while (controllers.n > 0);
	}
	return (struct str){0};
}

/*
 * Where the process is in each hierarchy, since a path that is relative for
 * runc can lead to different places.  NULL also if it has no cgroup of its own:
 * nothing may be killed there.
 */
char *cgroup_of(pid_t pid) {
	const char *controller = cgroup_is_v2() ? "" : "memory";
	cleanup_free char *name = str_format("/proc/%d/cgroup", pid);
	cleanup_free char *self = read_text(AT_FDCWD, "/proc/self/cgroup");
	cleanup_free char *ours = str_copy(path_in(self, controller));
	char *places = name == NULL ? NULL : read_text(AT_FDCWD, name);
	struct str path = path_in(places, controller);

	if (ours != NULL && path.n > 1 && !str_is(path, ours)) return places;
	free(places);
	return NULL;
}

char *cgroup_file(const char *controller, const char *cgroup, const char *file) {
	bool v2 = cgroup_is_v2();
	struct str path = path_in(cgroup, v2 ? "" : controller);

	if (path.n == 0) return NULL;
	return str_format(ROOT "%s%s%.*s/%s", v2 ? "" : "/", v2 ? "" : controller, (int)path.n,
			  path.p, file);
}

static void put_pids(const char *directory, int depth, struct buf *pids) {
	cleanup_free char *file = str_format("%s/cgroup.procs", directory);
	cleanup_free char *text = file == NULL ? NULL : read_text(AT_FDCWD, file);
	DIR *entries = depth == 0 || text == NULL ? NULL : opendir(directory);
	char *end = text;
	struct dirent *entry;

	for (char *at = text; text != NULL; at = end) {
		uint32_t pid = (uint32_t)strtoul(at, &end, 10);

		if (end == at) break;
		buf_put(pids, &pid, sizeof(pid));
	}
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		cleanup_free char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
		below = str_format("%s/%s", directory, entry->d_name);
		if (below != NULL) put_pids(below, depth - 1, pids);
	}
	if (entries != NULL) closedir(entries);
}

int cgroup_pids(const char *cgroup, struct buf *pids) {
	cleanup_free char *directory = cgroup_file("memory", cgroup, "");

	if (directory == NULL) return -ENOMEM;
	put_pids(directory, MAX_DEPTH, pids);
	return pids->failed ? -ENOMEM : 0;
}

int cgroup_thaw(const char *cgroup) {
	bool v2 = cgroup_is_v2();
	cleanup_free char *file =
		cgroup_file("freezer", cgroup, v2 ? "cgroup.freeze" : "freezer.state");

	return write_text(file, v2 ? "0" : "THAWED");
}

static int kill_once(const char *cgroup, int signal) {
	cleanup_buf struct buf pids = {0};
	int error = cgroup_pids(cgroup, &pids);
	const uint32_t *list = (const void *)pids.data;

	if (error != 0 || pids.len == 0) return error != 0 ? error : -ESRCH;
	for (size_t i = 0; i < pids.len / sizeof(*list); i++)
		if (list[i] > 1) kill((pid_t)list[i], signal);
	return 0;
}

/*
 * -ESRCH if there was nobody.  A pid may be reused between its reading and the
 * signal; runc has the same race, and cgroup.kill of v2 has none.  Without
 * that it is done again, for what was forked meanwhile.
 */
int cgroup_kill(const char *cgroup, int signal) {
	cleanup_free char *file = cgroup_file("", cgroup, "cgroup.kill");
	int error = kill_once(cgroup, 0);

	if (error != 0) return error;
	if (cgroup_is_v2() && signal == SIGKILL && write_text(file, "1") == 0) return 0;
	for (int i = 0; i < (signal == SIGKILL ? 4 : 1); i++)
		kill_once(cgroup, signal);
	return 0;
}

uint64_t cgroup_oom_kills(const char *cgroup) {
	cleanup_free char *file = cgroup_file(
		"memory", cgroup, cgroup_is_v2() ? "memory.events" : "memory.oom_control");
	cleanup_free char *text = file == NULL ? NULL : read_text(AT_FDCWD, file);
	const char *at = text == NULL ? NULL : strstr(text, "oom_kill ");

	return at == NULL ? 0 : strtoull(at + 9, NULL, 10);
}

static int watch_v1(const char *cgroup) {
	cleanup_free char *control = cgroup_file("memory", cgroup, "memory.oom_control");
	cleanup_free char *events = cgroup_file("memory", cgroup, "cgroup.event_control");
	cleanup_close int file = control == NULL ? -1 : open(control, O_RDONLY | O_CLOEXEC);
	int fd = file < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char line[32];

	snprintf(line, sizeof(line), "%d %d", fd, file);
	if (fd >= 0 && write_text(events, line) != 0) close_fd(&fd);
	return fd;
}

int cgroup_watch_oom(const char *cgroup, struct watch *watch) {
	cleanup_free char *file = cgroup_file("memory", cgroup, "memory.events");
	bool v2 = cgroup_is_v2();
	int error;

	watch->fd = !v2 ? watch_v1(cgroup) : file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	error = watch->fd < 0 ? -ENOENT : loop_want(watch, v2 ? EPOLLPRI : EPOLLIN);
	if (error != 0) close_fd(&watch->fd);
	return error;
}

/* Move this process into CGROUP of every hierarchy that has it. */
int cgroup_join(const char *cgroup) {
	cleanup_free char *unified = str_format(ROOT "%s/cgroup.procs", cgroup);
	DIR *entries = cgroup_is_v2() ? NULL : opendir(ROOT);
	struct dirent *entry;
	int error = cgroup_is_v2() ? write_text(unified, "0") : -ENOENT;

	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		cleanup_free char *file =
			str_format(ROOT "/%s%s/cgroup.procs", entry->d_name, cgroup);

		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
		    write_text(file, "0") == 0)
			error = 0;
	}
	if (entries != NULL) closedir(entries);
	return error;
}
