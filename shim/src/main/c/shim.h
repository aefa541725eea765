/*
 * shim.h: the containers of one pod, their processes, and the parts of the
 * shim that work on them.
 */
#ifndef GANTRY_SHIM_H
#define GANTRY_SHIM_H

#include "base.h"
#include "pb.h"
#include "ttrpc.h"

/* Named by the build. */
#ifndef VERSION
#define VERSION "unknown"
#endif

/* ---- settings.c: how runc is called for a container ---- */
struct settings {
	char *binary, *root;
	bool systemd_cgroup, no_pivot_root, no_new_keyring;
	uint32_t io_uid, io_gid;
};

/* OPTIONS may be absent, runc's, or runtimeoptions' (which say nothing to us). */
int settings_read(struct settings *s, const struct any *options, const char *namespace, int bundle);
/* For the delete action, which runs when this process is gone. */
int settings_save(const struct settings *s, int bundle);
int settings_load(struct settings *s, const char *namespace, int bundle);
void settings_free(struct settings *s);
bool is_identifier(struct str id);

/* ---- spawn.c ---- */
struct spawn {
	const char *const *argv;
	const char *directory; /* or NULL */
	int fds[6]; /* what the child has as 0, 1, 2, ...; -1: /dev/null (0 to 2) or closed */
	const char *const *environment; /* in addition; NULL-terminated, or NULL */
	bool outlives_us;
};

/* The child's pid, or a negative errno, also when the program cannot be run. */
pid_t spawn(const struct spawn *spawn);
/* Be spared by the OOM killer; what is spawned is not. */
void set_oom_score(void);

/* ---- runc.c: one run of runc ---- */
struct job {
	struct list node;
	pid_t pid;
	int log;
	int file;	    /* what runc reads, or -1 */
	bool makes_process; /* its child becomes ours, under a pid we do not know yet */
	bool timed_out;
	struct timer limit;
	struct process *process;
	struct call *call;
	/* ERROR is NULL when runc ended with 0.  Frees nothing but what is its own. */
	void (*done)(struct job *job, const char *error);
};

enum { MAX_ARGUMENTS = 32 };

struct arguments {
	const char *list[MAX_ARGUMENTS];
	int count;
};

void add_argument(struct arguments *a, const char *argument);
/* "runc --root R ...", to which the command is added. */
void runc_arguments(struct arguments *a, const struct settings *s, const char *log);
/* Takes JOB over; on failure DONE is not called. FDS are the three of the container, or NULL. */
int runc_begin(struct job *job, const struct arguments *command, const int fds[3], int input);
/* What runc said in its JSON log; to be freed. */
char *runc_error(int log);
bool jobs_make_processes(void);
struct job *job_find(pid_t pid);
void job_ended(struct job *job, int status);
/* Until VISIT says true: it has changed the list. */
bool jobs_each(bool (*visit)(pid_t pid));

/* ---- io.c ---- */
struct stream {
	struct watch watch;
	struct io *io;
	uint8_t number;	 /* 1 stdout, 2 stderr */
	struct buf line; /* begun and not ended */
	bool paused;	 /* not in the epoll set */
	bool ended;
};

struct io {
	bool terminal;
	char *uri[3];
	int held[3]; /* the other ends of FIFOs: see hold_output, hold_input */
	struct stream streams[2];
	struct log *log;
	struct watch input; /* from the stdin FIFO to the terminal */
	struct watch console_listener;
	int console;	    /* the terminal's master */
	int out;	    /* where a terminal's output or a file's goes */
	struct buf waiting; /* what the reader of OUT has not taken yet */
	struct watch out_ready;
	struct buf typed; /* what the process has not read yet */
	struct watch typed_ready;
	bool close_typed;
	struct list attached;
	void (*drained)(struct io *io);
	const char *logger_id, *logger_namespace;
	bool logger; /* held[2] is its pidfd */
};

int io_init(struct io *io, bool terminal, struct str in, struct str out, struct str err);
/* Make what the process gets as 0 to 2; with a terminal, a socket CONSOLE in the bundle for runc.
 */
int io_open(struct io *io, int fds[3], const struct settings *s, const char *socket);
/* runc has ended: what only it and the process needed is closed. */
void io_started(struct io *io);
bool io_busy(const struct io *io);
void io_close_input(struct io *io);
int io_resize(struct io *io, uint32_t width, uint32_t height);
void io_free(struct io *io);
/* Give it to the process as its input; -EAGAIN: taken, but send no more for now. */
int io_type(struct io *io, const void *data, size_t n);
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* ---- logger.c ---- */
int open_logger(struct io *io, int fds[3]);
void logger_end(struct io *io);

/* ---- log.c: the CRI log ---- */
struct log {
	char *path;
	int fd;
	size_t line_size;
	bool reported;
	struct log_counters counters;
};

/* "cri-log:///path?max_line=16384" */
struct log *log_open(struct str uri, int *error);
int log_reopen(struct log *log);
void log_write(struct log *log, struct stream *stream, const uint8_t *data, size_t n);
/* The stream has ended: its last line, if that has no end, is written with the tag P. */
void log_end(struct log *log, struct stream *stream);
void log_free(struct log *log);

/* ---- attach.c ---- */
/* Answers the call in any case. */
int attach(struct io *io, struct call *call);
void attached_write(struct io *io, uint8_t stream, const void *data, size_t n);
void attached_resume(struct io *io);
void attached_end(struct io *io);

/* ---- task.c ---- */
enum state { CREATING, CREATED, STARTING, RUNNING, STOPPED };

struct process {
	struct list node;
	struct container *container;
	char *exec_id; /* NULL: the container's first */
	enum state state;
	int busy; /* runs of runc that hold it */
	bool exited, published;
	pid_t pid;
	uint32_t exit_status;
	struct stamp exited_at;
	char *started; /* field 22 of /proc/PID/stat */
	struct list waiters, drainers; /* calls */
	struct buf spec;
	struct io io;
	struct call *deleting;
	struct timer drain;
};

struct container {
	struct list node, processes;
	char *id, *bundle;
	int directory;
	struct settings settings;
	struct process *init;
	char *cgroup;
	struct watch oom;
	uint64_t oom_kills;
	bool paused;
};

/* The pid of a known process has ended. */
void task_exited(pid_t pid, int status);
/* Those that live, until VISIT says true. */
bool tasks_each(bool (*visit)(pid_t pid));
/* After a round of reaping: tell of exits in the right order. */
void tasks_settle(void);
bool tasks_none(void);
struct container *container_find(struct str id);
struct process *process_find(struct container *c, struct str exec_id);
struct container *container_new(struct str id, struct str bundle, int *error);
struct process *process_new(struct container *c, struct str exec_id);
/* runc has made it: its pid stands in a file of the bundle. */
int process_made(struct process *p, const char *pid_file);
/* There never was one. */
void process_failed(struct process *p);
void process_free(struct process *p);
void container_free(struct container *c);
/* The next step of a Delete whose process has ended; see calls.c. */
void delete_process(struct process *p);

/* ---- calls.c ---- */
void calls_open(const char *namespace, const char *socket, int fd);

/* ---- reap.c ---- */
int reaper_open(void);
void reap(void);

/* ---- rootfs.c ---- */
int rootfs_mount(const char *bundle, const struct rep *mounts, char *failed, size_t size);
int rootfs_unmount(const char *bundle);

/* ---- cgroup.c ---- */
char *cgroup_of(pid_t pid);
int cgroup_pids(const char *cgroup, struct buf *pids); /* as uint32_t */
int cgroup_kill(const char *cgroup, int signal);
int cgroup_thaw(const char *cgroup);
uint64_t cgroup_oom_kills(const char *cgroup);
int cgroup_watch_oom(const char *cgroup, struct watch *watch);
bool cgroup_is_v2(void);
int cgroup_join(const char *cgroup);
/* ---- metrics.c ---- */
int cgroup_metrics(const char *cgroup, struct buf *out, const char **type);

/* ---- exits.c: exit.json ---- */
struct exit_record {
	uint32_t pid, status;
	struct stamp at;
};

void exit_save(const struct process *p);
int exit_load(int bundle, struct exit_record *out);
void exit_remove(const struct process *p);
char *start_time(pid_t pid);

/* ---- events.c ---- */
void events_open(const char *namespace, const char *ttrpc_address);
void events_publish(const char *topic, const struct pb_message *message, const void *event);
bool events_pending(void);
/* Send what is there, for at most so long. */
void events_flush(int ms);

/* ---- actions.c ---- */
struct flags {
	const char *namespace, *id, *address, *publish_binary, *bundle;
	const char *ttrpc_address;
};

int action_start(const struct flags *flags);
/* The daemonised server; returns when it is no longer needed. */
int serve(const struct flags *flags, const char *socket_path, int listener);
int action_delete(const struct flags *flags);
int action_info(void);

#endif
