/*
 * bundle.c: what we keep in a container's bundle.
 *
 * exit.json and EXEC.exit.json hold exits: containerd's keys, the boot id,
 * with which a file from before a reboot is told, and the process's start
 * time.  options.pb holds how runc was called, for the delete action.
 */
#include "shim.h"

enum { MAX_OPTIONS = 65536, MAX_IDENTIFIER = 200 };

/* Ids become file names, and arguments of runc. */
bool is_identifier(struct str id) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.+-";

	if (id.n == 0 || id.n > MAX_IDENTIFIER || *id.p == '.' || *id.p == '-') return false;
	for (size_t i = 0; i < id.n; i++)
		if (memchr(allowed, id.p[i], sizeof(allowed) - 1) == NULL) return false;
	return true;
}

/* ---- how runc is called ---- */

/* "x.slice:prefix:name" is a cgroup for systemd's driver, and a mere name where none runs. */
static bool wants_systemd(int bundle) {
	cleanup_free char *config = read_text(bundle, "config.json");
	cleanup_free char *path = json_text(json_member(config, "cgroupsPath"));
	const char *colon = path == NULL ? NULL : strchr(path, ':');

	return colon != NULL && strchr(colon + 1, ':') != NULL && path[0] != '/' &&
	       access("/run/systemd/system", F_OK) == 0;
}

void settings_free(struct settings *s) {
	free(s->binary);
	free(s->root);
	*s = (struct settings){0};
}

/* Without a NAMESPACE the root is meant as it stands. */
static int fill(struct settings *s, const struct runc_options *o, const char *namespace) {
	struct str root = o->root.n > 0 ? o->root : STR("/run/containerd/runc");

	*s = (struct settings){
		.binary = str_copy(o->binary_name.n > 0 ? o->binary_name : STR("runc")),
		.root = namespace == NULL ? str_copy(root)
					  : str_format("%.*s/%s", (int)root.n, root.p, namespace),
		.systemd_cgroup = o->systemd_cgroup,
		.no_pivot_root = o->no_pivot_root,
		.no_new_keyring = o->no_new_keyring,
		.io_uid = (uint32_t)o->io_uid,
		.io_gid = (uint32_t)o->io_gid};
	return s->binary == NULL || s->root == NULL ? -ENOMEM : 0;
}

int runc_options(struct runc_options *o, const struct any *any, struct arena *arena) {
	*o = (struct runc_options){0};
	if (str_is(any->type_url, pb_runc_options.name))
		return pb_decode(&pb_runc_options, o, any->value, arena);
	return any->type_url.n == 0 || str_is(any->type_url, "runtimeoptions.v1.Options") ? 0
											  : -EINVAL;
}

int settings_read(struct settings *s, const struct any *any, const char *namespace, int bundle) {
	cleanup_arena struct arena arena = {0};
	struct runc_options o;
	int error = runc_options(&o, any, &arena);

	if (o.root.n == 0 && wants_systemd(bundle)) o.systemd_cgroup = true;
	return error != 0 ? error : fill(s, &o, namespace);
}

int settings_save(const struct settings *s, int bundle) {
	struct runc_options o = {.binary_name = str_of(s->binary),
				 .root = str_of(s->root),
				 .systemd_cgroup = s->systemd_cgroup};
	cleanup_buf struct buf text = {0};

	pb_encode(&pb_runc_options, &o, &text);
	/* Not synced: no container survives a power cut. */
	int error =
		text.failed ? -ENOMEM : publish_file(bundle, "options.pb", buf_str(&text), false);
	/* A daemon that drives containerd's shim looks for this one. */
	return error != 0 ? error : publish_file(bundle, "runtime", o.binary_name, false);
}

int settings_load(struct settings *s, const char *namespace, int bundle) {
	cleanup_close int fd = openat(bundle, "options.pb", O_RDONLY | O_CLOEXEC);
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf text = {0};
	struct runc_options o = {0};

	if (fd < 0) return errno == ENOENT ? fill(s, &o, namespace) : -errno;
	if (read_fd(fd, &text, MAX_OPTIONS) != 0 ||
	    pb_decode(&pb_runc_options, &o, buf_str(&text), &arena) != 0 || o.root.n == 0)
		return -EBADMSG;
	return fill(s, &o, NULL);
}

/* ---- exits ---- */

static char *boot_id(void) {
	char *text = read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id");

	if (text != NULL) text[strcspn(text, "\n")] = '\0';
	return text;
}

char *start_time(pid_t pid) {
	cleanup_free char *name = str_format("/proc/%d/stat", pid);
	cleanup_free char *text = name == NULL ? NULL : read_text(AT_FDCWD, name);
	const char *name_end = text == NULL ? NULL : strrchr(text, ')');
	struct str rest = str_of(name_end);

	for (int field = 2; field < 22; field++)
		str_cut(&rest, ' ');
	return rest.n == 0 ? NULL : str_copy(str_cut(&rest, ' '));
}

static char *file_name(const struct process *p) {
	return p->exec_id == NULL ? strdup("exit.json") : str_format("%s.exit.json", p->exec_id);
}

void exit_save(const struct process *p) {
	cleanup_free char *name = file_name(p), *boot = boot_id();
	struct tm tm;
	char at[32] = "";

	gmtime_r(&(time_t){p->exited_at.seconds}, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
	cleanup_free char *text =
		str_format("{\"Timestamp\":\"%s.%09dZ\",\"Pid\":%d,\"Status\":%u,"
			   "\"StartTime\":%s,\"BootID\":\"%s\"}\n",
			   at, (int)p->exited_at.nanos, p->pid, p->exit_status,
			   p->started == NULL ? "0" : p->started, boot == NULL ? "" : boot);
	int error = name == NULL || text == NULL
			    ? -ENOMEM
			    : publish_file(p->container->directory, name, str_of(text), true);
	if (error != 0)
		log_error("cannot record the exit of %s: %s", p->container->id, strerror(-error));
}

static bool parse_stamp(const char *text, struct timestamp *out) {
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	char nanos[10] = "000000000";

	if (rest != NULL && *rest == '.') {
		size_t n = strspn(++rest, "0123456789");

		memcpy(nanos, rest, n < 9 ? n : 9);
		rest += n;
	}
	*out = (struct timestamp){timegm(&tm), strtol(nanos, NULL, 10)};
	return rest != NULL && *rest == 'Z';
}

int exit_load(int bundle, struct delete_response *out) {
	cleanup_free char *text = read_text(bundle, "exit.json"), *boot = boot_id();
	cleanup_free char *then = json_text(json_member(text, "BootID"));
	cleanup_free char *at = json_text(json_member(text, "Timestamp"));
	const char *pid = json_member(text, "Pid"), *status = json_member(text, "Status");

	if (then == NULL || boot == NULL || strcmp(then, boot) != 0) return -ESTALE;
	if (at == NULL || pid == NULL || status == NULL || !parse_stamp(at, &out->exited_at))
		return -EBADMSG;
	out->pid = strtoul(pid, NULL, 10);
	out->exit_status = strtoul(status, NULL, 10);
	return 0;
}

void exit_remove(const struct process *p) {
	cleanup_free char *name = file_name(p);

	if (name != NULL) unlinkat(p->container->directory, name, 0);
}
