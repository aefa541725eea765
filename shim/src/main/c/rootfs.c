/* rootfs.c: mounts the root file system of a container on the bundle's rootfs. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* mount(2) takes one page of options, its terminating NUL included. */
enum { PAGE = 4096 };

static const struct option {
	const char *name;
	bool clears;
	unsigned long flag;
} options[] = {
	{"async", true, MS_SYNCHRONOUS},
	{"atime", true, MS_NOATIME},
	{"bind", false, MS_BIND},
	{"defaults", false, 0},
	{"dev", true, MS_NODEV},
	{"diratime", true, MS_NODIRATIME},
	{"dirsync", false, MS_DIRSYNC},
	{"exec", true, MS_NOEXEC},
	{"mand", false, MS_MANDLOCK},
	{"noatime", false, MS_NOATIME},
	{"nodev", false, MS_NODEV},
	{"nodiratime", false, MS_NODIRATIME},
	{"noexec", false, MS_NOEXEC},
	{"nomand", true, MS_MANDLOCK},
	{"norelatime", true, MS_RELATIME},
	{"nostrictatime", true, MS_STRICTATIME},
	{"nosuid", false, MS_NOSUID},
	{"rbind", false, MS_BIND | MS_REC},
	{"relatime", false, MS_RELATIME},
	{"remount", false, MS_REMOUNT},
	{"ro", false, MS_RDONLY},
	{"rw", true, MS_RDONLY},
	{"strictatime", false, MS_STRICTATIME},
	{"suid", true, MS_NOSUID},
	{"sync", false, MS_SYNCHRONOUS},
};

static const struct option *
find_option(struct str name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (str_is(name, options[i].name))
			return &options[i];
	return NULL;
}

/* Split the options into flags and what the file system gets. */
static int
read_options(const struct mount *m, unsigned long *flags, struct buf *data)
{
	const struct str *all = m->options.items;

	*flags = 0;
	for (uint32_t i = 0; i < m->options.count; i++) {
		const struct option *known = find_option(all[i]);

		if (memchr(all[i].p, '\0', all[i].n) != NULL || str_is(all[i], "loop") ||
		    (all[i].n > 7 &&
		     (memcmp(all[i].p, "uidmap=", 7) == 0 || memcmp(all[i].p, "gidmap=", 7) == 0)))
			return -ENOTSUP;
		if (known == NULL) {
			buf_put(data, ",", data->len > 0);
			buf_put(data, all[i].p, all[i].n);
		} else if (known->clears) {
			*flags &= ~known->flag;
		} else {
			*flags |= known->flag;
		}
	}
	buf_put(data, "", 1);
	return data->failed ? -ENOMEM : 0;
}

/* One option of a new-style mount; each layer of an overlay is one, however many there are. */
static int
set_option(int context, struct str option)
{
	const char *equals = memchr(option.p, '=', option.n);
	cleanup_free char *key = NULL, *value = NULL;
	char *part, *end;

	key = str_copy(
		(struct str){option.p, equals == NULL ? option.n : (size_t)(equals - option.p)});
	if (key == NULL)
		return -ENOMEM;
	if (equals == NULL)
		return fsconfig(context, FSCONFIG_SET_FLAG, key, NULL, 0) < 0 ? -errno : 0;
	value = str_copy((struct str){equals + 1, option.n - (size_t)(equals + 1 - option.p)});
	if (value == NULL)
		return -ENOMEM;
	if (strcmp(key, "lowerdir") != 0)
		return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
	for (part = value; part != NULL; part = end) {
		char *to = part, *from = part;

		/* A colon ends a layer unless a backslash is before it. */
		while (*from != '\0' && *from != ':') {
			if (*from == '\\' && from[1] != '\0')
				from++;
			*to++ = *from++;
		}
		end = *from == ':' ? from + 1 : NULL;
		*to = '\0';
		if (fsconfig(context, FSCONFIG_SET_STRING, "lowerdir+", part, 0) < 0)
			return -errno;
	}
	return 0;
}

static unsigned int
attributes(unsigned long flags)
{
	return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0u) |
	       (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0u) |
	       (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0u) |
	       (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0u) |
	       (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0u);
}

static int
mount_large(const struct mount *m, const char *type, const char *target, unsigned long flags)
{
	cleanup_close int context = fsopen(type, FSOPEN_CLOEXEC), tree = -1;
	const struct str *all = m->options.items;

	if (context < 0)
		return -errno;
	for (uint32_t i = 0; i < m->options.count; i++) {
		int error = find_option(all[i]) != NULL ? 0 : set_option(context, all[i]);

		if (error != 0)
			return error;
	}
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(context, FSMOUNT_CLOEXEC, attributes(flags));
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int
mount_one(const struct mount *m, const char *target)
{
	cleanup_free char *type = str_copy(m->type), *source = str_copy(m->source);
	cleanup_buf struct buf data = {0};
	unsigned long flags;
	int error;

	if (type == NULL || source == NULL)
		return -EINVAL;
	error = read_options(m, &flags, &data);
	if (error != 0)
		return error;
	if (data.len > PAGE)
		return mount_large(m, type, target, flags);
	if (mount(source, target, type, flags & ~(flags & MS_BIND ? MS_RDONLY : 0UL), data.data) <
	    0)
		return -errno;
	/* A bind takes its flags only from a second call. */
	if (flags & MS_BIND && flags & ~(unsigned long)(MS_BIND | MS_REC) &&
	    mount("", target, "", flags | MS_REMOUNT, NULL) < 0)
		return -errno;
	return 0;
}

static bool
is_below(struct str target)
{
	struct str rest = target;

	while (rest.n > 0) {
		const char *slash = memchr(rest.p, '/', rest.n);
		size_t n = slash == NULL ? rest.n : (size_t)(slash - rest.p);

		if (str_is((struct str){rest.p, n}, ".."))
			return false;
		n += slash != NULL;
		rest.p += n;
		rest.n -= n;
	}
	return true;
}

int
rootfs_mount(const char *bundle, const struct rep *mounts, char *failed, size_t size)
{
	const struct mount *all = mounts->items;
	cleanup_free char *root = str_format("%s/rootfs", bundle);

	if (root == NULL)
		return -ENOMEM;
	if (mounts->count > 0 && mkdir(root, 0711) < 0 && errno != EEXIST)
		return -errno;
	for (uint32_t i = 0; i < mounts->count; i++) {
		struct str below = all[i].target;
		cleanup_free char *target =
			below.n == 0 ? strdup(root)
				     : str_format("%s/%.*s", root, (int)below.n, below.p);
		int error = target == NULL    ? -ENOMEM
			    : is_below(below) ? mount_one(&all[i], target)
					      : -EINVAL;

		if (error == 0)
			continue;
		snprintf(failed, size, "cannot mount %.*s (%.*s) on %s: %s", (int)all[i].source.n,
			 all[i].source.p, (int)all[i].type.n, all[i].type.p, root,
			 strerror(-error));
		rootfs_unmount(bundle);
		return error;
	}
	return 0;
}

/* All that is mounted there, one upon the other, the busy ones too. */
int
rootfs_unmount(const char *bundle)
{
	cleanup_free char *root = str_format("%s/rootfs", bundle);

	if (root == NULL)
		return -ENOMEM;
	for (int i = 0; i < 64; i++)
		if (umount2(root, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
			return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	return -EBUSY;
}
