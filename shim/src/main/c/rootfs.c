/* rootfs.c: mounts the root file system of a container on the bundle's rootfs. */
#include "shim.h"

#include <sys/mount.h>

/* mount(2) takes one page of options, its terminating NUL included. */
enum { PAGE = 4096, MAX_LAYERS_OF_MOUNTS = 64 };

/* With NO before the name the option is the opposite, and most are known under both names. */
static const struct option {
	const char *name;
	unsigned long flag;
	bool clears;
} options[] = {{"async", MS_SYNCHRONOUS, true},
	       {"atime", MS_NOATIME, true},
	       {"bind", MS_BIND, false},
	       {"defaults", 0, false},
	       {"dev", MS_NODEV, true},
	       {"diratime", MS_NODIRATIME, true},
	       {"dirsync", MS_DIRSYNC, false},
	       {"exec", MS_NOEXEC, true},
	       {"mand", MS_MANDLOCK, false},
	       {"rbind", MS_BIND | MS_REC, false},
	       {"relatime", MS_RELATIME, false},
	       {"remount", MS_REMOUNT, false},
	       {"ro", MS_RDONLY, false},
	       {"rw", MS_RDONLY, true},
	       {"strictatime", MS_STRICTATIME, false},
	       {"suid", MS_NOSUID, true},
	       {"sync", MS_SYNCHRONOUS, false}};

/* Apply an option to the flags; false if it is the file system's own. */
static bool apply(struct str name, unsigned long *flags) {
	bool no = name.n > 2 && memcmp(name.p, "no", 2) == 0;
	struct str base = no ? (struct str){name.p + 2, name.n - 2} : name;

	for (size_t i = 0; i < count_of(options); i++) {
		if (!str_is(base, options[i].name)) continue;
		if (options[i].clears == no)
			*flags |= options[i].flag;
		else
			*flags &= ~options[i].flag;
		return true;
	}
	return false;
}

static bool begins(struct str s, const char *prefix) {
	return s.n >= strlen(prefix) && memcmp(s.p, prefix, strlen(prefix)) == 0;
}

static bool is_mapping(struct str option) {
	return begins(option, "uidmap=") || begins(option, "gidmap=");
}

/* Split the options into flags and what the file system gets. */
static int read_options(const struct mount *m, unsigned long *flags, struct buf *data) {
	const struct str *all = m->options.items;

	*flags = 0;
	for (size_t i = 0; i < m->options.count; i++) {
		if (memchr(all[i].p, '\0', all[i].n) != NULL || str_is(all[i], "loop"))
			return -ENOTSUP;
		if (apply(all[i], flags)) continue;
		buf_put(data, ",", data->len > 0);
		buf_put(data, all[i].p, all[i].n);
	}
	buf_put(data, "", 1);
	return data->failed ? -ENOMEM : 0;
}

/* Each layer of an overlay is an option of its own: "A:B", with backslashes before other colons. */
static int set_layers(int context, char *part) {
	while (part != NULL) {
		char *to = part, *from = part, *layer = part;

		while (*from != '\0' && *from != ':') {
			if (*from == '\\' && from[1] != '\0') from++;
			*to++ = *from++;
		}
		part = *from == ':' ? from + 1 : NULL;
		*to = '\0';
		if (fsconfig(context, FSCONFIG_SET_STRING, "lowerdir+", layer, 0) < 0)
			return -errno;
	}
	return 0;
}

static int set_option(int context, struct str option) {
	bool flag = memchr(option.p, '=', option.n) == NULL;
	cleanup_free char *key = str_copy(str_cut(&option, '='));
	/* Quotes are for mount(2), which would take a comma for the end. */
	bool quoted = option.n > 1 && option.p[0] == '"' && option.p[option.n - 1] == '"';
	cleanup_free char *value =
		str_copy(quoted ? (struct str){option.p + 1, option.n - 2} : option);

	if (key == NULL || value == NULL) return -ENOMEM;
	if (strcmp(key, "lowerdir") == 0) return set_layers(context, value);
	return fsconfig(context, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key,
			flag ? NULL : value, 0) < 0
		       ? -errno
		       : 0;
}

/* The new way to mount takes options one by one, however many there are. */
static int mount_large(const struct mount *m, const char *type, const char *target,
		       unsigned long flags) {
	cleanup_close int context = fsopen(type, FSOPEN_CLOEXEC), tree = -1;
	const struct str *all = m->options.items;
	unsigned int attributes = (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0u) |
				  (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0u) |
				  (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0u) |
				  (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0u) |
				  (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0u);
	int error = context < 0 ? -errno : 0;

	for (size_t i = 0; i < m->options.count && error == 0; i++)
		if (!apply(all[i], &flags)) error = set_option(context, all[i]);
	if (error != 0) return error;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return -errno;
	tree = fsmount(context, FSMOUNT_CLOEXEC, attributes);
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int mount_one(const struct mount *m, const char *bundle, const char *target);

/* With the layers mounted elsewhere, mapped, and without the options that said so. */
static int mount_idmapped(const struct mount *m, const char *bundle, const char *target) {
	cleanup_free char *place = str_format("%s/.idmap", bundle);
	cleanup_free struct str *kept = calloc(m->options.count + 1, sizeof(*kept));
	cleanup_buf struct buf lower = {0};
	const struct str *all = m->options.items;
	struct mount plain = *m;

	if (place == NULL || kept == NULL) return -ENOMEM;
	buf_put(&lower, "lowerdir=", 9);
	int error = idmap_layers(&lower, m, place);
	plain.options = (struct rep){kept, 0};
	for (size_t i = 0; i < m->options.count; i++)
		if (!is_mapping(all[i]) && !begins(all[i], "lowerdir="))
			kept[plain.options.count++] = all[i];
	kept[plain.options.count++] = buf_str(&lower);
	if (error == 0) error = mount_one(&plain, bundle, target);
	idmap_end(place);
	return error;
}

static int mount_one(const struct mount *m, const char *bundle, const char *target) {
	cleanup_free char *type = str_copy(m->type), *source = str_copy(m->source);
	cleanup_buf struct buf data = {0};
	unsigned long flags;
	bool bind;
	int error;

	if (type == NULL || source == NULL) return -EINVAL;
	for (size_t i = 0; i < m->options.count; i++)
		if (is_mapping(((const struct str *)m->options.items)[i]))
			return mount_idmapped(m, bundle, target);
	error = read_options(m, &flags, &data);
	if (error != 0) return error;
	if (data.len > PAGE) return mount_large(m, type, target, flags);
	bind = flags & MS_BIND;
	if (mount(source, target, type, bind ? flags & ~(unsigned long)MS_RDONLY : flags,
		  data.data) < 0)
		return -errno;
	/* A bind takes its flags only from a second call. */
	if (bind && flags & ~(unsigned long)(MS_BIND | MS_REC) &&
	    mount("", target, "", flags | MS_REMOUNT, NULL) < 0)
		return -errno;
	return 0;
}

static bool is_below(struct str target) {
	while (target.n > 0)
		if (str_is(str_cut(&target, '/'), "..")) return false;
	return true;
}

int rootfs_mount(const char *bundle, const struct rep *mounts, char *failed, size_t size) {
	cleanup_free char *root = str_format("%s/rootfs", bundle);

	if (root == NULL) return -ENOMEM;
	if (mounts->count > 0 && mkdir(root, 0711) < 0 && errno != EEXIST) return -errno;
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *m = (const struct mount *)mounts->items + i;
		cleanup_free char *target =
			str_format("%s/%.*s", root, (int)m->target.n, m->target.p);
		int error = target == NULL	  ? -ENOMEM
			    : is_below(m->target) ? mount_one(m, bundle, target)
						  : -EINVAL;

		if (error == 0) continue;
		snprintf(failed, size, "cannot mount %.*s (%.*s) on %s", (int)m->source.n,
			 m->source.p, (int)m->type.n, m->type.p, root);
		rootfs_unmount(bundle);
		return error;
	}
	return 0;
}

/* All that is mounted there, one upon the other, the busy ones too. */
int rootfs_unmount(const char *bundle) {
	cleanup_free char *root = str_format("%s/rootfs", bundle);

	if (root == NULL) return -ENOMEM;
	for (int i = 0; i < MAX_LAYERS_OF_MOUNTS; i++)
		if (umount2(root, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
			return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	return -EBUSY;
}
