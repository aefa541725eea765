/* settings.c: how runc is called for a container. */
#include "json.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CONFIG = 16 << 20, MAX_IDENTIFIER = 200 };

static const char default_root[] = "/run/containerd/runc";

/* Ids become file names, and arguments of runc. */
bool
is_identifier(struct str id)
{
	if (id.n == 0 || id.n > MAX_IDENTIFIER || *id.p == '.' || *id.p == '-')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '.' || c == '+' || c == '-'))
			return false;
	}
	return true;
}

/* "x.slice:prefix:name" is a cgroup for systemd's driver. */
static bool
wants_systemd(int bundle)
{
	cleanup_buf struct buf config = {0};
	cleanup_free char *path = NULL;
	const char *colon;

	if (read_file(bundle, "config.json", &config, MAX_CONFIG) < 0)
		return false;
	path = json_text(json_path(buf_str(&config), "linux", "cgroupsPath", NULL));
	colon = path == NULL ? NULL : strchr(path, ':');
	return colon != NULL && strchr(colon + 1, ':') != NULL && path[0] != '/';
}

void
settings_free(struct settings *s)
{
	free(s->binary);
	free(s->root);
	*s = (struct settings){0};
}

static int
settings_fill(struct settings *s, struct str binary, struct str root, const char *namespace)
{
	s->binary = str_copy(binary.n > 0 ? binary : STR("runc"));
	s->root = root.n > 0 ? str_format("%.*s/%s", (int)root.n, root.p, namespace)
			     : str_format("%s/%s", default_root, namespace);
	return s->binary == NULL || s->root == NULL ? -ENOMEM : 0;
}

int
settings_read(struct settings *s, const struct any *any, const char *namespace, int bundle)
{
	cleanup_arena struct arena arena = {0};
	struct runc_options o = {0};

	*s = (struct settings){0};
	if (str_is(any->type_url, "containerd.runc.v1.Options")) {
		if (pb_decode(&pb_runc_options, &o, any->value, &arena) < 0)
			return -EBADMSG;
	} else if (any->type_url.n > 0 && !str_is(any->type_url, "runtimeoptions.v1.Options")) {
		return -EINVAL;
	}
	s->systemd_cgroup = o.systemd_cgroup || (o.root.n == 0 && wants_systemd(bundle));
	s->no_pivot_root = o.no_pivot_root;
	s->no_new_keyring = o.no_new_keyring;
	s->io_uid = o.io_uid;
	s->io_gid = o.io_gid;
	return settings_fill(s, o.binary_name, o.root, namespace);
}

int
settings_save(const struct settings *s, int bundle)
{
	cleanup_buf struct buf text = {0};
	int error;

	buf_printf(&text, "{\"binary\":");
	json_put(&text, str_of(s->binary));
	buf_printf(&text, ",\"root\":");
	json_put(&text, str_of(s->root));
	buf_printf(&text, ",\"systemd_cgroup\":%s}\n", s->systemd_cgroup ? "true" : "false");
	if (text.failed)
		return -ENOMEM;
	/* Not synced: no container survives a power cut. */
	error = publish_file(bundle, "shim.json", buf_str(&text), false);
	if (error == 0) /* a daemon that drives containerd's shim looks for this one */
		error = write_file(bundle, "runtime", s->binary, strlen(s->binary),
				   O_CREAT | O_TRUNC | O_NOFOLLOW);
	return error;
}

int
settings_load(struct settings *s, const char *namespace, int bundle)
{
	cleanup_buf struct buf text = {0};
	int error = read_file(bundle, "shim.json", &text, MAX_CONFIG);

	*s = (struct settings){0};
	if (error == -ENOENT)
		return settings_fill(s, (struct str){0}, (struct str){0}, namespace);
	if (error != 0)
		return error;
	s->binary = json_text(json_member(buf_str(&text), "binary"));
	s->root = json_text(json_member(buf_str(&text), "root"));
	s->systemd_cgroup = str_is(json_member(buf_str(&text), "systemd_cgroup"), "true");
	return s->binary == NULL || s->root == NULL ? -EBADMSG : 0;
}
