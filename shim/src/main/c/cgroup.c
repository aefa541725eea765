/*
 * cgroup.c: the cgroup of a container, read and written without runc, on v1
 * and v2.  The hierarchies are looked for where every distribution has them,
 * below /sys/fs/cgroup.
 */
#include "shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

enum { CGROUP2_MAGIC = 0x63677270, MAX_FILE = 1 << 20, MAX_DEPTH = 16 };

bool
cgroup_is_v2(void)
{
	static int known = -1;
	struct statfs fs;

	if (known < 0)
		known = statfs(ROOT, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
	return known == 1;
}

/* The path after the second colon of the line that has CONTROLLER; "" is v2's. */
static char *
find_path(const char *text, const char *controller)
{
	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *name = strchr(line, ':');
		const char *path = name == NULL ? NULL : strchr(name + 1, ':');
		const char *end = strchrnul(line, '\n');

		if (path == NULL || path > end)
			return NULL;
		for (name++; name <= path; name += strcspn(name, ",:") + 1)
			if (strcspn(name, ",:") == strlen(controller) &&
			    strncmp(name, controller, strlen(controller)) == 0)
				return str_copy((struct str){path + 1, (size_t)(end - path - 1)});
		line = *end == '\n' ? end + 1 : NULL;
	}
	return NULL;
}

static char *
path_of(const char *process)
{
	cleanup_free char *name = str_format("/proc/%s/cgroup", process);
	cleanup_buf struct buf text = {0};

	if (name == NULL || read_file(AT_FDCWD, name, &text, MAX_FILE) < 0)
		return NULL;
	buf_put(&text, "", 1);
	if (text.failed)
		return NULL;
	return find_path((const char *)text.data, cgroup_is_v2() ? "" : "memory");
}

/* NULL also if it has none of its own: nothing may be killed there. */
char *
cgroup_of(pid_t pid)
{
	char number[16];
	cleanup_free char *ours = path_of("self");
	char *path;

	snprintf(number, sizeof(number), "%d", pid);
	path = path_of(number);
	if (path != NULL && ours != NULL && (strcmp(path, "/") == 0 || strcmp(path, ours) == 0)) {
		free(path);
		path = NULL;
	}
	return path;
}

static char *
place(const char *controller, const char *cgroup, const char *file)
{
	return cgroup_is_v2() ? str_format(ROOT "%s/%s", cgroup, file)
			      : str_format(ROOT "/%s%s/%s", controller, cgroup, file);
}

static void
put_pids(const char *directory, int depth, struct buf *pids)
{
	cleanup_free char *file = str_format("%s/cgroup.procs", directory);
	cleanup_buf struct buf text = {0};
	struct dirent *entry;
	DIR *entries;

	if (file == NULL || read_file(AT_FDCWD, file, &text, MAX_FILE) < 0)
		return;
	buf_put(&text, "", 1);
	for (char *at = (char *)text.data, *end; !text.failed; at = end) {
		uint32_t pid = (uint32_t)strtoul(at, &end, 10);

		if (end == at)
			break;
		buf_put(pids, &pid, sizeof(pid));
	}
	entries = depth == 0 ? NULL : opendir(directory);
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		cleanup_free char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = str_format("%s/%s", directory, entry->d_name);
		if (below != NULL)
			put_pids(below, depth - 1, pids);
	}
	if (entries != NULL)
		closedir(entries);
}

int
cgroup_pids(const char *cgroup, struct buf *pids)
{
	cleanup_free char *directory = place("memory", cgroup, "");

	if (directory == NULL)
		return -ENOMEM;
	put_pids(directory, MAX_DEPTH, pids);
	return pids->failed ? -ENOMEM : 0;
}

int
cgroup_thaw(const char *cgroup)
{
	cleanup_free char *file =
		place("freezer", cgroup, cgroup_is_v2() ? "cgroup.freeze" : "freezer.state");
	const char *thawed = cgroup_is_v2() ? "0" : "THAWED";

	return file == NULL ? -ENOMEM : write_file(AT_FDCWD, file, thawed, strlen(thawed), 0);
}

/*
 * -ESRCH if there was nobody.  A pid may be reused between its reading and the
 * signal; runc has the same race, and cgroup.kill of v2 has none.
 */
int
cgroup_kill(const char *cgroup, int signal)
{
	cleanup_buf struct buf pids = {0};
	int error = cgroup_pids(cgroup, &pids);
	const uint32_t *list = (const void *)pids.data;

	if (error != 0 || pids.len == 0)
		return error != 0 ? error : -ESRCH;
	if (cgroup_is_v2() && signal == SIGKILL) {
		cleanup_free char *file = place("", cgroup, "cgroup.kill");

		if (file != NULL && write_file(AT_FDCWD, file, "1", 1, 0) == 0)
			return 0;
	}
	for (size_t i = 0; i < pids.len / sizeof(*list); i++)
		if (list[i] > 1)
			kill((pid_t)list[i], signal);
	return 0;
}

uint64_t
cgroup_oom_kills(const char *cgroup)
{
	cleanup_free char *file =
		place("memory", cgroup, cgroup_is_v2() ? "memory.events" : "memory.oom_control");
	cleanup_buf struct buf text = {0};
	const char *at;

	if (file == NULL || read_file(AT_FDCWD, file, &text, MAX_FILE) < 0)
		return 0;
	buf_put(&text, "", 1);
	at = text.failed ? NULL : strstr((const char *)text.data, "oom_kill ");
	return at == NULL ? 0 : strtoull(at + 9, NULL, 10);
}

static int
watch_v1(const char *cgroup)
{
	cleanup_free char *control = place("memory", cgroup, "memory.oom_control");
	cleanup_free char *events = place("memory", cgroup, "cgroup.event_control");
	cleanup_close int file = -1;
	char line[32];
	int fd, error;

	if (control == NULL || events == NULL)
		return -ENOMEM;
	file = open(control, O_RDONLY | O_CLOEXEC);
	fd = file < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	snprintf(line, sizeof(line), "%d %d", fd, file);
	error = write_file(AT_FDCWD, events, line, strlen(line), 0);
	if (error != 0)
		close(fd);
	return error != 0 ? error : fd;
}

int
cgroup_watch_oom(const char *cgroup, struct watch *watch)
{
	cleanup_free char *file = NULL;
	int error;

	if (cgroup_is_v2()) {
		file = place("memory", cgroup, "memory.events");
		watch->fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	} else {
		watch->fd = watch_v1(cgroup);
	}
	if (watch->fd < 0)
		return -ENOENT;
	error = loop_add(watch, cgroup_is_v2() ? EPOLLPRI : EPOLLIN);
	if (error != 0)
		close_fd(&watch->fd);
	return error;
}

/* Move this process into CGROUP of every hierarchy that has it. */
int
cgroup_join(const char *cgroup)
{
	DIR *entries = cgroup_is_v2() ? NULL : opendir(ROOT);
	struct dirent *entry;
	int error = -ENOENT;

	if (cgroup_is_v2()) {
		cleanup_free char *file = place("", cgroup, "cgroup.procs");

		return file == NULL ? -ENOMEM : write_file(AT_FDCWD, file, "0", 1, 0);
	}
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		cleanup_free char *file = place(entry->d_name, cgroup, "cgroup.procs");

		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR && file != NULL &&
		    write_file(AT_FDCWD, file, "0", 1, 0) == 0)
			error = 0;
	}
	if (entries != NULL)
		closedir(entries);
	return error;
}
