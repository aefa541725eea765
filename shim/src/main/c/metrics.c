/*
 * metrics.c: io.containerd.cgroups.v1.Metrics and v2.Metrics, read from the
 * cgroup's files.  A file that is not there leaves its fields out.
 */
#include "shim.h"

enum { MAX_DEVICES = 64 };

#define ENTRY "limit_in_bytes usage_in_bytes max_usage_in_bytes failcnt"

/*
 * Numbers that stand one after the other in the metrics.  A name that ends
 * with a dot is the beginning of many: each key completes one, which holds a
 * number.  Else the file has lines of a key and a number, and without KEYS
 * these are the names of the fields of MESSAGE.
 */
static const struct source {
	const char *controller, *file;
	size_t at;
	const char *keys;
	const struct pb_message *message;
} v1_sources[] =
	{
#define AT(member) offsetof(struct v1_metrics, member)
		{"pids", "pids.", AT(pids), "current max", NULL},
		{"cpuacct", "cpuacct.", AT(cpu.usage), "usage usage_sys usage_user", NULL},
		{"cpu", "cpu.stat", AT(cpu.throttling), "nr_periods nr_throttled throttled_time",
		 NULL},
		{"memory", "memory.stat", AT(memory), NULL, &pb_v1_memory},
		{"memory", "memory.", AT(memory.usage), ENTRY, NULL},
		{"memory", "memory.memsw.", AT(memory.swap), ENTRY, NULL},
		{"memory", "memory.kmem.", AT(memory.kernel), ENTRY, NULL},
		{"memory", "memory.kmem.tcp.", AT(memory.kernel_tcp), ENTRY, NULL},
		{"memory", "memory.oom_control", AT(memory_oom_control), NULL, &pb_v1_oom},
#undef AT
},
  v2_sources[] = {
#define AT(member) offsetof(struct v2_metrics, member)
	  {"", "pids.", AT(pids), "current max", NULL},
	  {"", "cpu.stat", AT(cpu), NULL, &pb_v2_cpu},
	  {"", "memory.stat", AT(memory), NULL, &pb_v2_memory},
	  {"", "memory.", AT(memory.usage), "current max swap.current swap.max peak swap.peak",
	   NULL},
	  {"", "memory.events", AT(memory_events), NULL, &pb_v2_events},
#undef AT
};

static char *load(const char *controller, const char *cgroup, const char *file) {
	cleanup_free char *path = cgroup_file(controller, cgroup, file);

	return path == NULL ? NULL : read_text(AT_FDCWD, path);
}

/* A limit of "max" is the largest number, as containerd has it. */
static uint64_t number(const char *text) {
	return after(text, "max") != NULL ? UINT64_MAX : strtoull(text, NULL, 10);
}

static void read_files(const struct source *source, const char *cgroup, uint64_t *out) {
	struct str keys = str_of(source->keys);

	while (keys.n > 0) {
		struct str key = str_cut(&keys, ' ');
		cleanup_free char *file = str_format("%s%.*s", source->file, (int)key.n, key.p);
		cleanup_free char *text =
			file == NULL ? NULL : load(source->controller, cgroup, file);

		*out++ = text == NULL ? 0 : number(text);
	}
}

/* cgroup v1 writes pgpgin, the message has pg_pg_in. */
static bool same_name(struct str key, struct str name) {
	size_t i = 0;

	for (size_t k = 0; k < name.n; k++)
		if (i < key.n && key.p[i] == name.p[k])
			i++;
		else if (name.p[k] != '_' || i < 2 || memcmp(key.p + i - 2, "pg", 2) != 0)
			return false;
	return i == key.n;
}

/* Where the number of KEY belongs, or -1. */
static int index_of(const struct source *source, struct str key) {
	const struct pb_message *message = source->message;
	struct str keys = str_of(source->keys);
	int i = 0;

	for (; keys.n > 0; i++)
		if (same_name(key, str_cut(&keys, ' '))) return i;
	for (; message != NULL && i < (int)message->count; i++)
		if (message->fields[i].kind == PB_NUMBER &&
		    same_name(key, str_of(message->fields[i].name)))
			return i;
	return -1;
}

static void read_sources(const struct source *all, size_t count, const char *cgroup,
			 void *metrics) {
	for (const struct source *source = all; source < all + count; source++) {
		uint64_t *out = (uint64_t *)(void *)((char *)metrics + source->at);
		cleanup_free char *text = NULL;
		struct str rest;

		if (source->file[strlen(source->file) - 1] == '.') {
			read_files(source, cgroup, out);
			continue;
		}
		text = load(source->controller, cgroup, source->file);
		rest = str_of(text);
		while (rest.n > 0) {
			struct str line = str_cut(&rest, '\n');
			int i = index_of(source, str_cut(&line, ' '));

			if (i >= 0 && line.n > 0) out[i] = number(line.p);
		}
	}
}

/* "8:0 Read 4096" a line; the operations point into TEXT. */
static void read_v1_devices(struct rep *rep, char *text) {
	struct v1_device *device = calloc(MAX_DEVICES, sizeof(*device));
	unsigned long long n[3];
	struct str rest = str_of(text);
	int from = 0, to = 0;

	rep->items = device;
	while (device != NULL && rest.n > 0 && rep->count < MAX_DEVICES) {
		struct str line = str_cut(&rest, '\n');

		if (sscanf(line.p, "%llu:%llu %n%*s%n %llu", n, n + 1, &from, &to, n + 2) != 3)
			continue;
		device[rep->count++] =
			(struct v1_device){{line.p + from, (size_t)(to - from)}, n[0], n[1], n[2]};
	}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" a line. */
static void read_v2_devices(struct rep *rep, const char *text) {
	struct v2_device *device = calloc(MAX_DEVICES, sizeof(*device));
	unsigned long long n[6];
	struct str rest = str_of(text);

	rep->items = device;
	while (device != NULL && rest.n > 0 && rep->count < MAX_DEVICES)
		if (sscanf(str_cut(&rest, '\n').p,
			   "%llu:%llu rbytes=%llu wbytes=%llu rios=%llu wios=%llu", n, n + 1, n + 2,
			   n + 3, n + 4, n + 5) == 6)
			device[rep->count++] =
				(struct v2_device){n[0], n[1], n[2], n[3], n[4], n[5]};
}

static void read_pressure(struct v2_pressures *out, const char *cgroup, const char *file) {
	cleanup_free char *text = load("", cgroup, file);
	struct v2_pressure *lines[] = {&out->some, &out->full};

	for (int i = 0; i < 2; i++) {
		const char *at = text == NULL ? NULL : strstr(text, i == 0 ? "some" : "full");
		unsigned long long total;

		if (at != NULL &&
		    sscanf(at + 4, " avg10=%lf avg60=%lf avg300=%lf total=%llu", &lines[i]->avg10,
			   &lines[i]->avg60, &lines[i]->avg300, &total) == 4)
			lines[i]->total = total;
	}
}

static void read_v1(const char *cgroup, struct buf *out) {
	cleanup_free char *bytes =
		load("blkio", cgroup, "blkio.throttle.io_service_bytes_recursive");
	cleanup_free char *ios = load("blkio", cgroup, "blkio.throttle.io_serviced_recursive");
	struct v1_metrics m = {0};

	read_sources(v1_sources, count_of(v1_sources), cgroup, &m);
	if (m.pids.limit == UINT64_MAX) m.pids.limit = 0;
	read_v1_devices(&m.blkio.io_service_bytes_recursive, bytes);
	read_v1_devices(&m.blkio.io_serviced_recursive, ios);
	pb_encode(&pb_v1_metrics, &m, out);
	free(m.blkio.io_service_bytes_recursive.items);
	free(m.blkio.io_serviced_recursive.items);
}

static void read_v2(const char *cgroup, struct buf *out) {
	cleanup_free char *devices = load("", cgroup, "io.stat");
	struct v2_metrics m = {0};

	read_sources(v2_sources, count_of(v2_sources), cgroup, &m);
	read_pressure(&m.cpu.psi, cgroup, "cpu.pressure");
	read_pressure(&m.memory.psi, cgroup, "memory.pressure");
	read_pressure(&m.io.psi, cgroup, "io.pressure");
	read_v2_devices(&m.io.usage, devices);
	pb_encode(&pb_v2_metrics, &m, out);
	free(m.io.usage.items);
}

int cgroup_metrics(const char *cgroup, struct buf *out, const char **type) {
	*type = cgroup_is_v2() ? pb_v2_metrics.name : pb_v1_metrics.name;
	if (cgroup_is_v2())
		read_v2(cgroup, out);
	else
		read_v1(cgroup, out);
	return out->failed ? -ENOMEM : 0;
}
