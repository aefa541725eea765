/*
 * idmap.c: mounts each layer of an overlay once more, with its owners mapped
 * as a user namespace has them.  The kernel maps no whole overlay.
 */
#include "shim.h"

#include <sys/mount.h>

enum { MAX_LAYERS = 500 };

static char *value_of(const struct mount *m, const char *key) {
	const struct str *all = m->options.items;

	for (size_t i = 0; i < m->options.count; i++) {
		struct str value = all[i];

		if (str_is(str_cut(&value, '='), key)) return str_copy(value);
	}
	return NULL;
}

/* A descriptor of the user namespace that the mount's options ask for. */
static int open_mapping(const struct mount *m) {
	cleanup_free char *uids = value_of(m, "uidmap"), *gids = value_of(m, "gidmap");
	struct holder holder;

	if (uids == NULL || gids == NULL) return -EINVAL;
	int error = holder_start(&holder, uids, gids, false);
	if (error != 0) return error;
	cleanup_free char *file = str_format("/proc/%d/ns/user", holder.pid);
	int fd = file == NULL ? -ENOMEM : open(file, O_RDONLY | O_CLOEXEC);
	holder_end(&holder);
	return fd == -1 ? -errno : fd;
}

/* Mount LAYER, mapped, on a new directory TARGET. */
static int mount_mapped(const char *layer, const char *target, int mapping) {
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY,
					.userns_fd = (unsigned int)mapping};
	cleanup_close int tree = open_tree(AT_FDCWD, layer, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mkdir(target, 0700) < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int idmap_layers(struct buf *layers, const struct mount *m, const char *place) {
	cleanup_free char *all = value_of(m, "lowerdir");
	cleanup_close int mapping = open_mapping(m);
	struct str rest = str_of(all);
	int error = all == NULL || !str_is(m->type, "overlay") ? -ENOTSUP : 0;

	if (mapping < 0) return mapping;
	if (error == 0 && mkdir(place, 0700) < 0) error = -errno;
	for (int i = 0; error == 0 && rest.n > 0; i++) {
		cleanup_free char *layer = str_copy(str_cut(&rest, ':'));
		cleanup_free char *target = str_format("%s/%d", place, i);

		error = layer == NULL || target == NULL ? -ENOMEM : i >= MAX_LAYERS ? -E2BIG : 0;
		if (error == 0) error = mount_mapped(layer, target, mapping);
		if (error == 0) buf_put(layers, ":", i > 0);
		if (error == 0) buf_put(layers, target, strlen(target));
	}
	return layers->failed ? -ENOMEM : error;
}

void idmap_end(const char *place) {
	for (int i = 0; i < MAX_LAYERS; i++) {
		cleanup_free char *target = str_format("%s/%d", place, i);

		if (target == NULL) continue;
		umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
		if (rmdir(target) < 0) break;
	}
	rmdir(place);
}
