/*
 * shim.h: the containers of one pod, their processes, and the parts of the
 * shim that work on them.
 */
#ifndef GANTRY_SHIM_H
#define GANTRY_SHIM_H

#include "base.h"
#include "pb.h"

/* Named by the build. */
#ifndef VERSION
#define VERSION "unknown"
#endif

/* The daemon's, in which all our containers are; main.c. */
extern const char *our_namespace;
/* Whoever ends the daemon and all that it started must not end us. */
static const int ignored_signals[] = {SIGPIPE, SIGTERM, SIGHUP, SIGINT};

/* ---- json.c: what stands in the OCI configuration, runc's log and our own files ---- */

/* Where the value of an object's member begins in the text; NULL if it is not there. */
const char *json_member(const char *object, const char *name);
/* What a string says, as a C string to be freed; NULL if VALUE is none. */
char *json_text(const char *value);

/* ---- bundle.c: what we keep in a container's bundle, and what we read there ---- */

/* How runc is called for a container. */
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
/* Options of runc in ANY, or empty ones. */
int runc_options(struct runc_options *o, const struct any *any, struct arena *arena);
bool is_identifier(struct str id);

struct process;
/* Its exit on disk, so that none is lost when the daemon is away or the shim is killed. */
void exit_save(const struct process *p);
int exit_load(int bundle, struct delete_response *out);
void exit_remove(const struct process *p);
char *start_time(pid_t pid);

/* ---- run.c: programs that we run, and children that end ---- */
enum { MAX_ARGUMENTS = 40 };

struct spawn {
	const char *const *argv; /* words that are "" are left out */
	const char *directory;	 /* or NULL */
	int fds[6];		 /* 0, 1, 2, ... of the child; -1: /dev/null */
	int count;		 /* of FDS, or 0: the first three are /dev/null */
	bool outlives_us;
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The child's pid, or a negative errno, also when the program cannot be run. */
pid_t spawn(const struct spawn *spawn);
/* "runc --root R ... COMMAND", with LOG for its JSON log or /dev/null. */
pid_t spawn_runc(const struct settings *s, const char *log, const char *const *command,
		 struct spawn *spawn);

/* One run of runc for a call. */
struct job {
	struct list node;
	pid_t pid;
	int log, input;	    /* memory files, or -1 */
	bool makes_process; /* its child becomes ours, under a pid we do not know yet */
	bool timed_out;
	struct timer limit;
	struct process *process;
	struct call *call;
	const char *command;
	int limit_ms; /* or 0: the call's */
	char *reason; /* of a call that has failed already */
	int code;
	/* ERROR is NULL when runc ended with 0. */
	void (*done)(struct job *job, const char *error);
};

/*
 * Run it; FDS are what the container gets, or NULL.  The job is freed after
 * DONE, or at once if this fails.
 */
int job_run(struct job *job, const char *const *command, const int fds[3]);
struct job *job_new(struct process *p, struct call *call,
		    void (*done)(struct job *job, const char *error));
void job_free(struct job *job);
/* Those of the process get no more time than that. */
void jobs_hurry(const struct process *p, int ms);

int reaper_open(void);
/* Be spared by the OOM killer, and have descriptors enough; what is spawned is as it was. */
void set_limits(void);

/* ---- io.c ---- */
struct stream {
	struct watch watch;
	struct io *io;
	uint8_t number;	 /* 1 stdout, 2 stderr */
	struct buf line; /* begun and not ended */
	bool ended;
};

struct io {
	bool terminal;
	bool opened; /* the process has its streams */
	char *uri[3];
	int held[3]; /* the other ends of FIFOs: see hold_output, hold_input */
	struct stream streams[2];
	struct log *log;
	struct watch console_socket; /* of runc: listening, then the connection */
	int console;		     /* the terminal's master */
	struct channel typed;	     /* to the process */
	struct timer resume;
	bool input_ended;
	struct list clients;
	int logger; /* its pidfd */
	void (*drained)(struct io *io);
};

int io_init(struct io *io, bool terminal, struct str in, struct str out, struct str err);
/*
 * Make what the process gets as 0 to 2; with a terminal, a socket at the path
 * CONSOLE for runc.
 */
int io_open(struct io *io, int fds[3], const struct process *p, const char *console);
/* runc has ended: what only it and the process needed is closed. */
void io_started(struct io *io);
/* There is output to come. */
bool io_busy(const struct io *io);
void io_close_input(struct io *io);
int io_resize(struct io *io, uint64_t width, uint64_t height);
void io_free(struct io *io);
/* Give it to the process; -EAGAIN: taken, but send no more for now. */
int io_type(struct io *io, const void *data, size_t n);
/* Clients have changed: read on or not, and tell who waits for the end of the output. */
void io_update(struct io *io);

/* ---- clients.c: who sees and feeds the streams ---- */

/* Answers the call in any case. */
int attach(struct io *io, struct call *call, bool feeds);
/* The other side of a FIFO or file that a terminal's bytes go to or come from, as they are. */
int client_raw(struct io *io, int fd, bool feeds);
void clients_write(struct io *io, uint8_t stream, const void *data, size_t n);
void clients_resume(struct io *io);
/* No more will come: each is closed when it has got everything. */
void clients_end(struct io *io);
/* IO is to be freed. */
void clients_leave(struct io *io);
/* Has one of them more than LIMIT bytes to take? */
bool clients_behind(const struct io *io, size_t limit);

/* ---- log.c: the CRI log ---- */
struct log {
	char *path;
	int fd;
	size_t line_size;
	uint64_t max_size, size;
	unsigned int max_files;
	bool reported;
	struct log_counters counters;
};

/* "/path?max_line=16384&max_size=0&max_files=0" */
int log_open(struct log **log, const char *uri);
int log_reopen(struct log *log);
void log_write(struct log *log, struct stream *stream, const uint8_t *data, size_t n);
/* The stream has ended: its last line, if that has no end, is written with the tag P. */
void log_end(struct log *log, struct stream *stream);
void log_free(struct log *log);

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
	int pidfd;
	uint32_t exit_status;
	struct timestamp exited_at;
	char *started;		       /* field 22 of /proc/PID/stat */
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
	char *cgroup; /* where it is: see cgroup_of */
	struct watch oom;
	uint64_t oom_kills;
	bool paused;
	struct call *starting; /* a Start that has opened the gate: see open_gate */
	struct watch gate;
	struct timer gate_limit;
	struct stat gate_keeper; /* the program that waits there */
	int looks;
};

/* The pid of a known process has ended. */
void task_exited(pid_t pid, int status);
/* Those that live, until VISIT says true. */
bool tasks_each(bool (*visit)(pid_t pid));
/* After a round of reaping: tell of exits in the right order. */
void tasks_settle(void);
/* There are none, but for ended ones whose bundle somebody has removed. */
bool tasks_gone(void);
bool tasks_none(void);
struct container *container_find(struct str id);
struct process *process_find(struct container *c, struct str exec_id);
int container_new(struct container **c, struct str id, struct str bundle);
struct process *process_new(struct container *c, struct str exec_id);
/* runc has made it: its pid stands in a file of the bundle. */
int process_made(struct process *p, const char *pid_file);
/* There never was one. */
void process_failed(struct process *p);
int process_signal(const struct process *p, int signal);
void process_free(struct process *p);
void container_free(struct container *c);
struct timestamp now_stamp(void);

/* ---- pin.c ---- */

/* A child that has entered a new user namespace, and a network namespace of that. */
struct holder {
	pid_t pid;
	int fd;
};

/* The maps are as 0:100000:65536. */
int holder_start(struct holder *holder, const char *uids, const char *gids, bool network);
void holder_end(struct holder *holder);

/* ---- idmap.c ---- */

/*
 * An overlay whose layers' owners are mapped, by its options "uidmap=..." and
 * "gidmap=...": LAYERS becomes what its option lowerdir has to be, until
 * idmap_end, after which the overlay still has its layers.
 */
int idmap_layers(struct buf *layers, const struct mount *m, const char *place);
void idmap_end(const char *place);

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
/* The name of a file of the cgroup, to be freed. */
char *cgroup_file(const char *controller, const char *cgroup, const char *file);
/* ---- metrics.c ---- */
int cgroup_metrics(const char *cgroup, struct buf *out, const char **type);

/* ---- ttrpc.c: the wire of containerd's shims, as a server of unary methods ---- */

/* google.rpc.Code */
enum code {
	UNKNOWN = 2,
	INVALID_ARGUMENT = 3,
	DEADLINE_EXCEEDED = 4,
	NOT_FOUND = 5,
	ALREADY_EXISTS = 6,
	RESOURCE_EXHAUSTED = 8,
	FAILED_PRECONDITION = 9,
	UNIMPLEMENTED = 12,
	UNAVAILABLE = 14
};

enum { FRAME_HEADER = 10, FRAME_MAX = 4 << 20 };
enum { FRAME_REQUEST = 1, FRAME_RESPONSE = 2, FRAME_DATA = 3 };

struct frame {
	uint32_t length, stream;
	uint8_t type, flags;
};

struct frame parse_frame(const uint8_t header[static FRAME_HEADER]);
void put_frame(struct channel *to, uint32_t stream, uint8_t type, struct str data);

/*
 * One call of a client, from its request until call_reply or call_fail, each
 * of which frees it and returns 0.  The connection may be gone by then: the
 * answer is then dropped.
 */
struct call {
	struct list of_connection;
	struct list waiting; /* in a list of those who wait for an exit */
	struct connection *connection;
	uint32_t stream;
	int64_t timeout_nano;
	/* Only while it is begun: */
	struct str payload;
	const void *message; /* the decoded payload */
	struct process *process;
};

int call_reply(struct call *call, const struct pb_message *message, const void *answer);
printf_like(3, 4) int call_fail(struct call *call, enum code code, const char *format, ...);
int call_fail_with(struct call *call, int error, const char *what);
/* Fail if there is an error, else reply with nothing. */
int call_finish(struct call *call, int error, const char *what);
#define REPLY(call, type, ...) call_reply(call, &pb_##type, &(struct type){__VA_ARGS__})
/*
 * Answer, then give up the connection: it becomes TO.  On failure, as when the
 * client has other calls there or does not read, the call has failed.
 */
int call_take_over(struct call *call, struct channel *to);
/* Listen on a bound socket; only processes of our own user are let in. */
int ttrpc_serve(int fd);
bool ttrpc_clients(void);

/* ---- calls.c: the services ---- */
void calls_open(const char *socket, int fd);
/* Must reply or fail, now or later. */
int serve_call(struct call *call, const struct request *request);
/* The number of clients has become zero, or is so no longer. */
void serve_clients(void);
/* The next step of a Delete whose process has ended. */
void delete_process(struct process *p);
/* What is known of a Start that waits for the first process to pass the gate. */
void start_settle(struct container *c);
/* A Delete that waited for runs of runc goes on when there are none. */
void delete_resume(struct container *c);
void reply_wait(struct call *call, const struct process *p);

/* ---- events.c ---- */
void events_open(const char *ttrpc_address);
void events_publish(const char *topic, const struct pb_message *message, const void *event);
#define PUBLISH(topic, type, ...) events_publish(topic, &pb_##type, &(struct type){__VA_ARGS__})
/* End the loop when all are delivered, or after so long. */
void events_end(int ms);

/* ---- actions.c ---- */
struct flags {
	const char *namespace, *id, *address, *bundle, *ttrpc_address;
	char **operands; /* what follows the action */
};

int action_start(const struct flags *flags);
/* The daemonised server; returns when it is no longer needed. */
int serve(const char *ttrpc_address, const char *socket_path, int listener);
int action_delete(const struct flags *flags);
int action_info(const struct flags *flags);
/* ---- readfile.c ---- */
int action_read(const struct flags *flags);
/* ---- pin.c ---- */
int action_pin(const struct flags *flags);

#endif
