/*
 * pin.c: makes a user namespace, and a network namespace that belongs to it,
 * and pins each to a file, as `ip netns` does: the kernel lets no process with
 * threads into a new user namespace.
 */
#include "shim.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static const char *const kinds[] = {"user", "net"};

static int raise_loopback(void) {
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = {.ifr_name = "lo"};

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0) return -errno;
	lo.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

/* What the one side says to the other after each step: 0, or what went wrong. */
static int tell(int fd, int result) {
	return write_all(fd, (struct str){(char *)&result, sizeof(result)});
}

static int hear(int fd) {
	int result;

	return read(fd, &result, sizeof(result)) == sizeof(result) ? result : -EPIPE;
}

static _Noreturn void hold_namespaces(int fd, bool network) {
	int error = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	tell(fd, unshare(CLONE_NEWUSER) < 0 ? -errno : 0);
	if (hear(fd) != 0) _exit(1);
	if (network) error = unshare(CLONE_NEWNET) < 0 ? -errno : raise_loopback();
	tell(fd, error);
	hear(fd); /* until the parent has what it wants, and kills us */
	_exit(0);
}

/* MAP is CONTAINER:HOST:SIZE, or many of these with commas between. */
static int write_map(pid_t pid, const char *kind, const char *map) {
	cleanup_free char *path = str_format("/proc/%d/%s_map", (int)pid, kind);
	cleanup_free char *lines = str_format("%s\n", map);

	if (path == NULL || lines == NULL) return -ENOMEM;
	for (char *c = lines; *c != '\0'; c++)
		*c = *c == ':' ? ' ' : *c == ',' ? '\n' : *c;
	return write_text(path, lines);
}

int holder_start(struct holder *h, const char *uids, const char *gids, bool network) {
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
	*h = (struct holder){fork(), ends[0]};
	if (h->pid == 0) {
		close(ends[0]);
		hold_namespaces(ends[1], network);
	}
	close(ends[1]);
	int error = h->pid < 0 ? -EAGAIN : hear(h->fd);
	if (error == 0) error = write_map(h->pid, "uid", uids);
	if (error == 0) error = write_map(h->pid, "gid", gids);
	if (error == 0) error = tell(h->fd, 0);
	if (error == 0) error = hear(h->fd);
	if (error != 0) holder_end(h);
	return error;
}

void holder_end(struct holder *h) {
	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	close_fd(&h->fd);
}

static int pin(pid_t pid, const char *kind, const char *file) {
	cleanup_free char *namespace = str_format("/proc/%d/ns/%s", (int)pid, kind);
	cleanup_close int fd = open(file, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (namespace == NULL) return -ENOMEM;
	if (fd < 0) return -errno;
	if (mount(namespace, file, NULL, MS_BIND, NULL) == 0) return 0;
	int error = -errno;
	unlink(file);
	return error;
}

/* "pin USERS GROUPS USER-FILE [NET-FILE]", the first two as 0:100000:65536. */
int action_pin(const struct flags *flags) {
	char **operands = flags->operands;
	struct holder holder;
	int given = 0;

	while (operands[given] != NULL)
		given++;
	if (given < 3 || given > 4) return -EINVAL;
	int error = holder_start(&holder, operands[0], operands[1], given == 4);
	if (error != 0) return error;
	for (size_t i = 0; error == 0 && i < count_of(kinds) && operands[2 + i] != NULL; i++) {
		error = pin(holder.pid, kinds[i], operands[2 + i]);
		if (error != 0 && i > 0) { /* none is left */
			umount2(operands[2], MNT_DETACH | UMOUNT_NOFOLLOW);
			unlink(operands[2]);
		}
	}
	holder_end(&holder);
	return error;
}
