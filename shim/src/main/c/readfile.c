/* readfile.c: reads a file inside the root of a container, whatever links its image has. */
#include "shim.h"

#include <linux/openat2.h>
#include <sys/syscall.h>

enum { MAX_FILE = 1 << 20 };

/* "read ROOT FILE". ENOENT if there is none, EINVAL if it is no plain file, EFBIG above 1 MiB. */
int action_read(const struct flags *flags) {
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	const char *root = flags->operands[0], *name = root == NULL ? NULL : flags->operands[1];
	cleanup_close int directory = -1, fd = -1;
	cleanup_buf struct buf text = {0};
	struct stat status;
	int error;

	if (name == NULL) return -EINVAL;
	directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) return -errno;
	fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &status) < 0) return -errno;
	if (!S_ISREG(status.st_mode)) return -EINVAL;
	error = read_fd(fd, &text, MAX_FILE);
	return error != 0 ? error : write_all(STDOUT_FILENO, buf_str(&text));
}
