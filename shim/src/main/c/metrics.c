/*
 * metrics.c: io.containerd.cgroups.v1.Metrics and v2.Metrics, read from the
 * cgroup's files.  A file that is not there leaves its fields out.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define V1 "io.containerd.cgroups.v1."
#define V2 "io.containerd.cgroups.v2."

enum { MAX_FILE = 1 << 20 };

/* Messages that are all uint64: a number for each field, by its position. */
#define U(position, number, name)                                                                  \
	{                                                                                          \
		name, NULL, number, (position)*8, PB_UINT64, false                                 \
	}
#define COUNT(table) (sizeof(table) / sizeof(*table))
#define NUMBERS(variable, full_name, table)                                                        \
	static const struct pb_message variable = {full_name, table, COUNT(table), COUNT(table) * 8}
#define SUB(st, member, number, name, msg)                                                         \
	{                                                                                          \
		name, &msg, number, offsetof(st, member), PB_MESSAGE, false                        \
	}
#define SUBS(st, member, number, name, msg)                                                        \
	{                                                                                          \
		name, &msg, number, offsetof(st, member), PB_MESSAGE, true                         \
	}

static const struct pb_field pids_fields[] = {U(0, 1, "current"), U(1, 2, "limit")};
NUMBERS(pids_v1, V1 "PidsStat", pids_fields);
NUMBERS(pids_v2, V2 "PidsStat", pids_fields);

static const struct pb_field usage_fields[] = {U(0, 1, "total"), U(1, 2, "kernel"),
					       U(2, 3, "user")};
NUMBERS(usage_v1, V1 "CPUUsage", usage_fields);

static const struct pb_field throttle_fields[] = {U(0, 1, "periods"), U(1, 2, "throttled_periods"),
						  U(2, 3, "throttled_time")};
NUMBERS(throttle_v1, V1 "Throttle", throttle_fields);

struct cpu_v1 {
	uint64_t usage[3], throttling[3];
};

static const struct pb_field cpu_v1_fields[] = {
	SUB(struct cpu_v1, usage, 1, "usage", usage_v1),
	SUB(struct cpu_v1, throttling, 2, "throttling", throttle_v1),
};
static const struct pb_message cpu_v1 = {V1 "CPUStat", cpu_v1_fields, 2, sizeof(struct cpu_v1)};

static const struct pb_field entry_fields[] = {U(0, 1, "limit"), U(1, 2, "usage"), U(2, 3, "max"),
					       U(3, 4, "failcnt")};
NUMBERS(entry_v1, V1 "MemoryEntry", entry_fields);

struct memory_v1 {
	uint64_t stat[32], usage[4], swap[4], kernel[4], kernel_tcp[4];
};

static const struct pb_field memory_v1_fields[] = {
	U(0, 1, "cache"),
	U(1, 2, "rss"),
	U(2, 3, "rss_huge"),
	U(3, 4, "mapped_file"),
	U(4, 5, "dirty"),
	U(5, 6, "writeback"),
	U(6, 7, "pg_pg_in"),
	U(7, 8, "pg_pg_out"),
	U(8, 9, "pg_fault"),
	U(9, 10, "pg_maj_fault"),
	U(10, 11, "inactive_anon"),
	U(11, 12, "active_anon"),
	U(12, 13, "inactive_file"),
	U(13, 14, "active_file"),
	U(14, 15, "unevictable"),
	U(15, 16, "hierarchical_memory_limit"),
	U(16, 17, "hierarchical_swap_limit"),
	U(17, 18, "total_cache"),
	U(18, 19, "total_rss"),
	U(19, 20, "total_rss_huge"),
	U(20, 21, "total_mapped_file"),
	U(21, 22, "total_dirty"),
	U(22, 23, "total_writeback"),
	U(23, 24, "total_pg_pg_in"),
	U(24, 25, "total_pg_pg_out"),
	U(25, 26, "total_pg_fault"),
	U(26, 27, "total_pg_maj_fault"),
	U(27, 28, "total_inactive_anon"),
	U(28, 29, "total_active_anon"),
	U(29, 30, "total_inactive_file"),
	U(30, 31, "total_active_file"),
	U(31, 32, "total_unevictable"),
	SUB(struct memory_v1, usage, 33, "usage", entry_v1),
	SUB(struct memory_v1, swap, 34, "swap", entry_v1),
	SUB(struct memory_v1, kernel, 35, "kernel", entry_v1),
	SUB(struct memory_v1, kernel_tcp, 36, "kernel_tcp", entry_v1),
};
static const struct pb_message memory_v1 = {V1 "MemoryStat", memory_v1_fields,
					    COUNT(memory_v1_fields), sizeof(struct memory_v1)};

struct blkio_entry {
	struct str op, device;
	uint64_t major, minor, value;
};

static const struct pb_field blkio_entry_fields[] = {
	{"op", NULL, 1, offsetof(struct blkio_entry, op), PB_STRING, false},
	{"device", NULL, 2, offsetof(struct blkio_entry, device), PB_STRING, false},
	{"major", NULL, 3, offsetof(struct blkio_entry, major), PB_UINT64, false},
	{"minor", NULL, 4, offsetof(struct blkio_entry, minor), PB_UINT64, false},
	{"value", NULL, 5, offsetof(struct blkio_entry, value), PB_UINT64, false},
};
static const struct pb_message blkio_entry = {
	V1 "BlkIOEntry", blkio_entry_fields, COUNT(blkio_entry_fields), sizeof(struct blkio_entry)};

struct blkio_v1 {
	struct rep bytes, ios;
};

static const struct pb_field blkio_v1_fields[] = {
	SUBS(struct blkio_v1, bytes, 1, "io_service_bytes_recursive", blkio_entry),
	SUBS(struct blkio_v1, ios, 2, "io_serviced_recursive", blkio_entry),
};
static const struct pb_message blkio_v1 = {V1 "BlkIOStat", blkio_v1_fields, 2,
					   sizeof(struct blkio_v1)};

static const struct pb_field oom_fields[] = {U(0, 1, "oom_kill_disable"), U(1, 2, "under_oom"),
					     U(2, 3, "oom_kill")};
NUMBERS(oom_v1, V1 "MemoryOomControl", oom_fields);

struct metrics_v1 {
	uint64_t pids[2];
	struct cpu_v1 cpu;
	struct memory_v1 memory;
	struct blkio_v1 blkio;
	uint64_t oom[3];
};

static const struct pb_field metrics_v1_fields[] = {
	SUB(struct metrics_v1, pids, 2, "pids", pids_v1),
	SUB(struct metrics_v1, cpu, 3, "cpu", cpu_v1),
	SUB(struct metrics_v1, memory, 4, "memory", memory_v1),
	SUB(struct metrics_v1, blkio, 5, "blkio", blkio_v1),
	SUB(struct metrics_v1, oom, 9, "memory_oom_control", oom_v1),
};
static const struct pb_message metrics_v1 = {V1 "Metrics", metrics_v1_fields,
					     COUNT(metrics_v1_fields), sizeof(struct metrics_v1)};

struct psi_line {
	double averages[3];
	uint64_t total;
};

static const struct pb_field psi_line_fields[] = {
	{"avg10", NULL, 1, 0, PB_DOUBLE, false},
	{"avg60", NULL, 2, 8, PB_DOUBLE, false},
	{"avg300", NULL, 3, 16, PB_DOUBLE, false},
	{"total", NULL, 4, 24, PB_UINT64, false},
};
static const struct pb_message psi_line = {V2 "PSIData", psi_line_fields, 4,
					   sizeof(struct psi_line)};

struct psi {
	struct psi_line some, full;
};

static const struct pb_field psi_fields[] = {
	SUB(struct psi, some, 1, "some", psi_line),
	SUB(struct psi, full, 2, "full", psi_line),
};
static const struct pb_message psi = {V2 "PSIStats", psi_fields, 2, sizeof(struct psi)};

struct cpu_v2 {
	uint64_t stat[8];
	struct psi psi;
};

static const struct pb_field cpu_v2_fields[] = {
	U(0, 1, "usage_usec"),
	U(1, 2, "user_usec"),
	U(2, 3, "system_usec"),
	U(3, 4, "nr_periods"),
	U(4, 5, "nr_throttled"),
	U(5, 6, "throttled_usec"),
	SUB(struct cpu_v2, psi, 7, "psi", psi),
	U(6, 8, "nr_bursts"),
	U(7, 9, "burst_usec"),
};
static const struct pb_message cpu_v2 = {V2 "CPUStat", cpu_v2_fields, COUNT(cpu_v2_fields),
					 sizeof(struct cpu_v2)};

struct memory_v2 {
	uint64_t stat[37];
	struct psi psi;
};

static const struct pb_field memory_v2_fields[] = {
	U(0, 1, "anon"),
	U(1, 2, "file"),
	U(2, 3, "kernel_stack"),
	U(3, 4, "slab"),
	U(4, 5, "sock"),
	U(5, 6, "shmem"),
	U(6, 7, "file_mapped"),
	U(7, 8, "file_dirty"),
	U(8, 9, "file_writeback"),
	U(9, 10, "anon_thp"),
	U(10, 11, "inactive_anon"),
	U(11, 12, "active_anon"),
	U(12, 13, "inactive_file"),
	U(13, 14, "active_file"),
	U(14, 15, "unevictable"),
	U(15, 16, "slab_reclaimable"),
	U(16, 17, "slab_unreclaimable"),
	U(17, 18, "pgfault"),
	U(18, 19, "pgmajfault"),
	U(19, 20, "workingset_refault"),
	U(20, 21, "workingset_activate"),
	U(21, 22, "workingset_nodereclaim"),
	U(22, 23, "pgrefill"),
	U(23, 24, "pgscan"),
	U(24, 25, "pgsteal"),
	U(25, 26, "pgactivate"),
	U(26, 27, "pgdeactivate"),
	U(27, 28, "pglazyfree"),
	U(28, 29, "pglazyfreed"),
	U(29, 30, "thp_fault_alloc"),
	U(30, 31, "thp_collapse_alloc"),
	U(31, 32, "usage"),
	U(32, 33, "usage_limit"),
	U(33, 34, "swap_usage"),
	U(34, 35, "swap_limit"),
	U(35, 36, "max_usage"),
	U(36, 37, "swap_max_usage"),
	SUB(struct memory_v2, psi, 38, "psi", psi),
};
static const struct pb_message memory_v2 = {V2 "MemoryStat", memory_v2_fields,
					    COUNT(memory_v2_fields), sizeof(struct memory_v2)};

static const struct pb_field memory_events_fields[] = {
	U(0, 1, "low"), U(1, 2, "high"),     U(2, 3, "max"),
	U(3, 4, "oom"), U(4, 5, "oom_kill"), U(5, 6, "oom_group_kill"),
};
NUMBERS(memory_events, V2 "MemoryEvents", memory_events_fields);

static const struct pb_field io_entry_fields[] = {
	U(0, 1, "major"),  U(1, 2, "minor"), U(2, 3, "rbytes"),
	U(3, 4, "wbytes"), U(4, 5, "rios"),  U(5, 6, "wios"),
};
NUMBERS(io_entry, V2 "IOEntry", io_entry_fields);

struct io_v2 {
	struct rep usage;
	struct psi psi;
};

static const struct pb_field io_v2_fields[] = {
	SUBS(struct io_v2, usage, 1, "usage", io_entry),
	SUB(struct io_v2, psi, 2, "psi", psi),
};
static const struct pb_message io_v2 = {V2 "IOStat", io_v2_fields, 2, sizeof(struct io_v2)};

struct metrics_v2 {
	uint64_t pids[2];
	struct cpu_v2 cpu;
	struct memory_v2 memory;
	struct io_v2 io;
	uint64_t events[6];
};

static const struct pb_field metrics_v2_fields[] = {
	SUB(struct metrics_v2, pids, 1, "pids", pids_v2),
	SUB(struct metrics_v2, cpu, 2, "cpu", cpu_v2),
	SUB(struct metrics_v2, memory, 4, "memory", memory_v2),
	SUB(struct metrics_v2, io, 6, "io", io_v2),
	SUB(struct metrics_v2, events, 8, "memory_events", memory_events),
};
static const struct pb_message metrics_v2 = {V2 "Metrics", metrics_v2_fields,
					     COUNT(metrics_v2_fields), sizeof(struct metrics_v2)};

const struct pb_message *const pb_metrics[] = {
	&pids_v1,  &pids_v2,   &usage_v1,      &throttle_v1, &cpu_v1,	  &entry_v1, &memory_v1,
	&blkio_v1, &oom_v1,    &metrics_v1,    &blkio_entry, &psi_line,	  &psi,	     &cpu_v2,
	&io_entry, &memory_v2, &memory_events, &io_v2,	     &metrics_v2, NULL,
};

/* The file as a terminated text; "" if it cannot be read. */
static char *
load(const char *controller, const char *cgroup, const char *file)
{
	cleanup_free char *path = cgroup_is_v2()
					  ? str_format(ROOT "%s/%s", cgroup, file)
					  : str_format(ROOT "/%s%s/%s", controller, cgroup, file);
	struct buf text = {0};

	if (path != NULL && read_file(AT_FDCWD, path, &text, MAX_FILE) < 0)
		text.len = 0;
	buf_put(&text, "", 1);
	return (char *)text.data;
}

/* A limit of "max" is the largest number, as containerd has it. */
static uint64_t
number(const char *controller, const char *cgroup, const char *file)
{
	cleanup_free char *text = load(controller, cgroup, file);

	if (text == NULL)
		return 0;
	return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* cgroup v1 writes pgpgin, the message has pg_pg_in. */
static bool
same_name(const char *key, size_t n, const char *name)
{
	size_t i = 0;

	for (; *name != '\0'; name++) {
		if (i < n && key[i] == *name)
			i++;
		else if (*name != '_' || i < 2 || memcmp(key + i - 2, "pg", 2) != 0)
			return false;
	}
	return i == n;
}

/* Lines of a name and a number, into the fields of the same name. */
static void
read_table(const char *controller, const char *cgroup, const char *file,
	   const struct pb_message *message, uint64_t *out)
{
	cleanup_free char *text = load(controller, cgroup, file);

	for (const char *line = text; line != NULL && *line != '\0';) {
		size_t n = strcspn(line, " \n");

		for (int i = 0; i < message->count && line[n] == ' '; i++)
			if (message->fields[i].type == PB_UINT64 &&
			    same_name(line, n, message->fields[i].name))
				out[message->fields[i].offset / 8] = strtoull(line + n, NULL, 10);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

static void
read_entry(uint64_t out[4], const char *cgroup, const char *prefix)
{
	static const char *const names[] = {"limit_in_bytes", "usage_in_bytes",
					    "max_usage_in_bytes", "failcnt"};

	for (int i = 0; i < 4; i++) {
		char file[64];

		snprintf(file, sizeof(file), "memory.%s%s", prefix, names[i]);
		out[i] = number("memory", cgroup, file);
	}
}

/* "8:0 Read 4096" a line. */
static struct rep
read_blkio(const char *cgroup, const char *file, char **text)
{
	struct rep rep = {NULL, 0, 0};

	*text = load("blkio", cgroup, file);
	rep.items = calloc(64, sizeof(struct blkio_entry));
	for (char *line = *text;
	     rep.items != NULL && line != NULL && *line != '\0' && rep.count < 64;) {
		struct blkio_entry *e = (struct blkio_entry *)rep.items + rep.count;
		unsigned long long major, minor, value;
		int op = 0, end = 0;

		if (sscanf(line, "%llu:%llu %n%*s%n %llu", &major, &minor, &op, &end, &value) ==
		    3) {
			*e = (struct blkio_entry){
				{line + op, (size_t)(end - op)}, {0}, major, minor, value};
			rep.count++;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return rep;
}

static void
read_v1(const char *cgroup, struct buf *out)
{
	struct metrics_v1 m = {0};
	cleanup_free char *bytes = NULL, *ios = NULL;
	uint64_t user_system[2] = {0};
	static const struct pb_field ticks_fields[] = {U(0, 1, "user"), U(1, 2, "system")};
	static const struct pb_field period_fields[] = {
		U(0, 1, "nr_periods"), U(1, 2, "nr_throttled"), U(2, 3, "throttled_time")};
	NUMBERS(ticks, "", ticks_fields);
	NUMBERS(periods, "", period_fields);
	uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	m.pids[0] = number("pids", cgroup, "pids.current");
	m.pids[1] = number("pids", cgroup, "pids.max");
	if (m.pids[1] == UINT64_MAX)
		m.pids[1] = 0;
	m.cpu.usage[0] = number("cpuacct", cgroup, "cpuacct.usage");
	read_table("cpuacct", cgroup, "cpuacct.stat", &ticks, user_system);
	m.cpu.usage[1] = user_system[1] * tick;
	m.cpu.usage[2] = user_system[0] * tick;
	read_table("cpu", cgroup, "cpu.stat", &periods, m.cpu.throttling);
	read_table("memory", cgroup, "memory.stat", &memory_v1, m.memory.stat);
	read_entry(m.memory.usage, cgroup, "");
	read_entry(m.memory.swap, cgroup, "memsw.");
	read_entry(m.memory.kernel, cgroup, "kmem.");
	read_entry(m.memory.kernel_tcp, cgroup, "kmem.tcp.");
	read_table("memory", cgroup, "memory.oom_control", &oom_v1, m.oom);
	m.blkio.bytes = read_blkio(cgroup, "blkio.throttle.io_service_bytes_recursive", &bytes);
	m.blkio.ios = read_blkio(cgroup, "blkio.throttle.io_serviced_recursive", &ios);
	pb_encode(&metrics_v1, &m, out);
	free(m.blkio.bytes.items);
	free(m.blkio.ios.items);
}

static void
read_psi(struct psi *out, const char *cgroup, const char *file)
{
	cleanup_free char *text = load("", cgroup, file);

	for (int i = 0; i < 2; i++) {
		struct psi_line *line = i == 0 ? &out->some : &out->full;
		const char *at = text == NULL ? NULL : strstr(text, i == 0 ? "some" : "full");
		unsigned long long total;

		if (at != NULL &&
		    sscanf(at + 4, " avg10=%lf avg60=%lf avg300=%lf total=%llu", &line->averages[0],
			   &line->averages[1], &line->averages[2], &total) == 4)
			line->total = total;
	}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" a line. */
static void
read_io(struct rep *rep, const char *cgroup)
{
	cleanup_free char *text = load("", cgroup, "io.stat");

	rep->items = calloc(64, 6 * sizeof(uint64_t));
	for (const char *line = text;
	     rep->items != NULL && line != NULL && *line != '\0' && rep->count < 64;) {
		unsigned long long n[6];

		if (sscanf(line, "%llu:%llu rbytes=%llu wbytes=%llu rios=%llu wios=%llu", &n[0],
			   &n[1], &n[2], &n[3], &n[4], &n[5]) == 6) {
			for (int i = 0; i < 6; i++)
				((uint64_t *)rep->items)[rep->count * 6 + (uint32_t)i] = n[i];
			rep->count++;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

static void
read_v2(const char *cgroup, struct buf *out)
{
	struct metrics_v2 m = {0};

	m.pids[0] = number("", cgroup, "pids.current");
	m.pids[1] = number("", cgroup, "pids.max");
	read_table("", cgroup, "cpu.stat", &cpu_v2, m.cpu.stat);
	read_psi(&m.cpu.psi, cgroup, "cpu.pressure");
	read_table("", cgroup, "memory.stat", &memory_v2, m.memory.stat);
	m.memory.stat[31] = number("", cgroup, "memory.current");
	m.memory.stat[32] = number("", cgroup, "memory.max");
	m.memory.stat[33] = number("", cgroup, "memory.swap.current");
	m.memory.stat[34] = number("", cgroup, "memory.swap.max");
	m.memory.stat[35] = number("", cgroup, "memory.peak");
	m.memory.stat[36] = number("", cgroup, "memory.swap.peak");
	read_psi(&m.memory.psi, cgroup, "memory.pressure");
	read_io(&m.io.usage, cgroup);
	read_psi(&m.io.psi, cgroup, "io.pressure");
	read_table("", cgroup, "memory.events", &memory_events, m.events);
	pb_encode(&metrics_v2, &m, out);
	free(m.io.usage.items);
}

int
cgroup_metrics(const char *cgroup, struct buf *out, const char **type)
{
	*type = cgroup_is_v2() ? metrics_v2.name : metrics_v1.name;
	if (cgroup_is_v2())
		read_v2(cgroup, out);
	else
		read_v1(cgroup, out);
	return out->failed ? -ENOMEM : 0;
}
