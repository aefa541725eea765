/*
 * pb.h: protobuf for just the messages that the shim speaks, by tables.
 *
 * A table row names the field as its .proto file does, so that a test can
 * compare all of them with the protocol.  Written by hand because nanopb's
 * runtime and generated code are three times as long as this.
 */
#ifndef GANTRY_PB_H
#define GANTRY_PB_H

#include "base.h"

enum pb_type {
	PB_STRING, /* struct str; of a decoded message it points into the input */
	PB_BYTES,
	PB_BOOL,    /* bool */
	PB_UINT32,  /* uint32_t */
	PB_INT32,   /* int32_t */
	PB_ENUM,    /* int32_t */
	PB_UINT64,  /* uint64_t */
	PB_INT64,   /* int64_t */
	PB_DOUBLE,  /* double */
	PB_MESSAGE, /* the struct of the message itself */
	PB_MAP,	    /* map<string,string>: as repeated struct key_value */
};

/* A repeated field. */
struct rep {
	void *items;
	uint32_t count, cap;
};

struct pb_field {
	const char *name;
	const struct pb_message *message;
	uint16_t number, offset;
	uint8_t type;
	bool repeated;
};

struct pb_message {
	const char *name;
	const struct pb_field *fields;
	uint16_t count, size;
};

/* Holds the arrays of decoded messages; all are freed together. */
struct arena {
	struct arena_block *blocks;
};

#define cleanup_arena __attribute__((cleanup(arena_free)))
void arena_free(struct arena *arena);

/* OUT is zeroed first. -EBADMSG if it is malformed. Unknown fields are passed over. */
int pb_decode(const struct pb_message *message, void *out, struct str in, struct arena *arena);
/* Zero fields and empty messages are left out, as proto3 does. */
void pb_encode(const struct pb_message *message, const void *in, struct buf *out);

/* What the messages look like; names and numbers stand in messages.c. */
struct any {
	struct str type_url, value;
};

struct timestamp {
	int64_t seconds;
	int32_t nanos;
};

struct key_value {
	struct str key, value;
};

struct request {
	struct str service, method, payload;
	int64_t timeout_nano;
	struct rep metadata; /* key_value */
};

struct status {
	int32_t code;
	struct str message;
};

struct response {
	struct status status;
	struct str payload;
};

struct mount {
	struct str type, source, target;
	struct rep options; /* str */
};

struct create_request {
	struct str id, bundle;
	struct rep rootfs; /* mount */
	bool terminal;
	struct str stdin_uri, stdout_uri, stderr_uri, checkpoint, parent_checkpoint;
	struct any options;
};

struct exec_request {
	struct str id, exec_id;
	bool terminal;
	struct str stdin_uri, stdout_uri, stderr_uri;
	struct any spec;
};

/* State, Start, Delete, Wait and every request that has only these. */
struct process_request {
	struct str id, exec_id;
};

struct kill_request {
	struct str id, exec_id;
	uint32_t signal;
	bool all;
};

struct resize_request {
	struct str id, exec_id;
	uint32_t width, height;
};

struct close_request {
	struct str id, exec_id;
	bool in;
};

struct update_request {
	struct str id;
	struct any resources;
	struct rep annotations;
};

struct checkpoint_request {
	struct str id, path;
	struct any options;
};

struct pid_response {
	uint32_t pid;
};

struct exit_response {
	uint32_t pid, exit_status;
	struct timestamp exited_at;
};

struct state_response {
	struct str id, bundle;
	uint32_t pid;
	int32_t status;
	struct str stdin_uri, stdout_uri, stderr_uri;
	bool terminal;
	uint32_t exit_status;
	struct timestamp exited_at;
	struct str exec_id;
};

struct process_info {
	uint32_t pid;
	struct any info;
};

struct pids_response {
	struct rep processes; /* process_info */
};

struct stats_response {
	struct any stats;
};

struct connect_response {
	uint32_t shim_pid, task_pid;
	struct str version;
};

struct runc_options {
	bool no_pivot_root, no_new_keyring;
	struct str shim_cgroup;
	uint32_t io_uid, io_gid;
	struct str binary_name, root;
	bool systemd_cgroup;
	struct str criu_image_path, criu_work_path;
};

struct checkpoint_options {
	bool exit, open_tcp, external_unix_sockets, terminal, file_locks;
	struct rep empty_namespaces;
	struct str cgroups_mode, image_path, work_path, parent_path;
};

struct process_details {
	struct str exec_id;
};

struct extension {
	struct any value;
};

struct bootstrap_params {
	struct str instance_id, namespace;
	int32_t log_level;
	struct str version, ttrpc_address, grpc_address, binary;
	struct rep extensions; /* extension */
	struct str socket_dir;
};

struct bootstrap_result {
	int32_t version;
	struct str address, protocol;
	struct rep extensions;
};

struct runtime_version {
	struct str version, revision;
};

struct runtime_info {
	struct str name;
	struct runtime_version version;
	struct any options, features;
};

struct task_io {
	struct str stdin_uri, stdout_uri, stderr_uri;
	bool terminal;
};

struct task_create {
	struct str container_id, bundle;
	struct rep rootfs;
	struct task_io io;
	struct str checkpoint;
	uint32_t pid;
};

/* TaskStart, TaskExecStarted, TaskExecAdded, TaskOOM, TaskPaused, TaskResumed. */
struct task_event {
	struct str container_id, exec_id;
	uint32_t pid;
};

struct task_exit {
	struct str container_id, id;
	uint32_t pid, exit_status;
	struct timestamp exited_at;
};

struct task_checkpointed {
	struct str container_id, checkpoint;
};

struct envelope {
	struct timestamp timestamp;
	struct str namespace, topic;
	struct any event;
};

struct forward_request {
	struct envelope envelope;
};

/* Ours: reopening of logs, counters, attaching. */
struct log_counters {
	uint64_t bytes, lines, lost, stall;
};

extern const struct pb_message pb_any, pb_request, pb_response, pb_create_request,
	pb_create_response, pb_exec_request, pb_state_request, pb_state_response, pb_start_request,
	pb_start_response, pb_delete_request, pb_delete_response, pb_wait_request, pb_wait_response,
	pb_kill_request, pb_resize_request, pb_close_request, pb_pids_request, pb_pids_response,
	pb_pause_request, pb_resume_request, pb_update_request, pb_checkpoint_request,
	pb_stats_request, pb_stats_response, pb_connect_request, pb_connect_response,
	pb_shutdown_request, pb_runc_options, pb_checkpoint_options, pb_process_details,
	pb_bootstrap_params, pb_bootstrap_result, pb_runtime_info, pb_task_create, pb_task_start,
	pb_task_exit, pb_task_delete, pb_task_oom, pb_task_exec_added, pb_task_exec_started,
	pb_task_paused, pb_task_resumed, pb_task_checkpointed, pb_forward_request, pb_log_counters;

/* All of the above, and those of metrics.c, for the test that compares them with the protocol. */
extern const struct pb_message *const pb_messages[];
extern const struct pb_message *const pb_metrics[];

#endif
