/* messages.c: names, numbers and types of the fields, as the .proto files have them. */
#include "pb.h"

#define F(st, member, number, field, type)                                                         \
	{                                                                                          \
		field, NULL, number, offsetof(st, member), type, false                             \
	}
#define R(st, member, number, field, type)                                                         \
	{                                                                                          \
		field, NULL, number, offsetof(st, member), type, true                              \
	}
#define M(st, member, number, field, msg)                                                          \
	{                                                                                          \
		field, &msg, number, offsetof(st, member), PB_MESSAGE, false                       \
	}
#define RM(st, member, number, field, msg)                                                         \
	{                                                                                          \
		field, &msg, number, offsetof(st, member), PB_MESSAGE, true                        \
	}
#define MESSAGE(variable, full_name, st, table)                                                    \
	const struct pb_message variable = {full_name, table, sizeof(table) / sizeof(*table),      \
					    sizeof(st)}
#define TASK "containerd.task.v2."
#define EVENTS "containerd.events."
#define BOOTSTRAP "containerd.runtime.bootstrap.v1."

static const struct pb_field any_fields[] = {
	F(struct any, type_url, 1, "type_url", PB_STRING),
	F(struct any, value, 2, "value", PB_BYTES),
};
MESSAGE(pb_any, "google.protobuf.Any", struct any, any_fields);

static const struct pb_field timestamp_fields[] = {
	F(struct timestamp, seconds, 1, "seconds", PB_INT64),
	F(struct timestamp, nanos, 2, "nanos", PB_INT32),
};
static MESSAGE(timestamp, "google.protobuf.Timestamp", struct timestamp, timestamp_fields);

static const struct pb_field key_value_fields[] = {
	F(struct key_value, key, 1, "key", PB_STRING),
	F(struct key_value, value, 2, "value", PB_STRING),
};
static MESSAGE(key_value, "ttrpc.KeyValue", struct key_value, key_value_fields);

static const struct pb_field request_fields[] = {
	F(struct request, service, 1, "service", PB_STRING),
	F(struct request, method, 2, "method", PB_STRING),
	F(struct request, payload, 3, "payload", PB_BYTES),
	F(struct request, timeout_nano, 4, "timeout_nano", PB_INT64),
	RM(struct request, metadata, 5, "metadata", key_value),
};
MESSAGE(pb_request, "ttrpc.Request", struct request, request_fields);

static const struct pb_field status_fields[] = {
	F(struct status, code, 1, "code", PB_INT32),
	F(struct status, message, 2, "message", PB_STRING),
};
static MESSAGE(status, "google.rpc.Status", struct status, status_fields);

static const struct pb_field response_fields[] = {
	M(struct response, status, 1, "status", status),
	F(struct response, payload, 2, "payload", PB_BYTES),
};
MESSAGE(pb_response, "ttrpc.Response", struct response, response_fields);

static const struct pb_field mount_fields[] = {
	F(struct mount, type, 1, "type", PB_STRING),
	F(struct mount, source, 2, "source", PB_STRING),
	F(struct mount, target, 3, "target", PB_STRING),
	R(struct mount, options, 4, "options", PB_STRING),
};
static MESSAGE(mount, "containerd.types.Mount", struct mount, mount_fields);

static const struct pb_field create_fields[] = {
	F(struct create_request, id, 1, "id", PB_STRING),
	F(struct create_request, bundle, 2, "bundle", PB_STRING),
	RM(struct create_request, rootfs, 3, "rootfs", mount),
	F(struct create_request, terminal, 4, "terminal", PB_BOOL),
	F(struct create_request, stdin_uri, 5, "stdin", PB_STRING),
	F(struct create_request, stdout_uri, 6, "stdout", PB_STRING),
	F(struct create_request, stderr_uri, 7, "stderr", PB_STRING),
	F(struct create_request, checkpoint, 8, "checkpoint", PB_STRING),
	F(struct create_request, parent_checkpoint, 9, "parent_checkpoint", PB_STRING),
	M(struct create_request, options, 10, "options", pb_any),
};
MESSAGE(pb_create_request, TASK "CreateTaskRequest", struct create_request, create_fields);

static const struct pb_field pid_fields[] = {
	F(struct pid_response, pid, 1, "pid", PB_UINT32),
};
MESSAGE(pb_create_response, TASK "CreateTaskResponse", struct pid_response, pid_fields);
MESSAGE(pb_start_response, TASK "StartResponse", struct pid_response, pid_fields);

static const struct pb_field exec_fields[] = {
	F(struct exec_request, id, 1, "id", PB_STRING),
	F(struct exec_request, exec_id, 2, "exec_id", PB_STRING),
	F(struct exec_request, terminal, 3, "terminal", PB_BOOL),
	F(struct exec_request, stdin_uri, 4, "stdin", PB_STRING),
	F(struct exec_request, stdout_uri, 5, "stdout", PB_STRING),
	F(struct exec_request, stderr_uri, 6, "stderr", PB_STRING),
	M(struct exec_request, spec, 7, "spec", pb_any),
};
MESSAGE(pb_exec_request, TASK "ExecProcessRequest", struct exec_request, exec_fields);

static const struct pb_field process_fields[] = {
	F(struct process_request, id, 1, "id", PB_STRING),
	F(struct process_request, exec_id, 2, "exec_id", PB_STRING),
};
MESSAGE(pb_state_request, TASK "StateRequest", struct process_request, process_fields);
MESSAGE(pb_start_request, TASK "StartRequest", struct process_request, process_fields);
MESSAGE(pb_delete_request, TASK "DeleteRequest", struct process_request, process_fields);
MESSAGE(pb_wait_request, TASK "WaitRequest", struct process_request, process_fields);

static const struct pb_field id_fields[] = {
	F(struct process_request, id, 1, "id", PB_STRING),
};
MESSAGE(pb_pids_request, TASK "PidsRequest", struct process_request, id_fields);
MESSAGE(pb_pause_request, TASK "PauseRequest", struct process_request, id_fields);
MESSAGE(pb_resume_request, TASK "ResumeRequest", struct process_request, id_fields);
MESSAGE(pb_stats_request, TASK "StatsRequest", struct process_request, id_fields);
MESSAGE(pb_connect_request, TASK "ConnectRequest", struct process_request, id_fields);
MESSAGE(pb_shutdown_request, TASK "ShutdownRequest", struct process_request, id_fields);

static const struct pb_field kill_fields[] = {
	F(struct kill_request, id, 1, "id", PB_STRING),
	F(struct kill_request, exec_id, 2, "exec_id", PB_STRING),
	F(struct kill_request, signal, 3, "signal", PB_UINT32),
	F(struct kill_request, all, 4, "all", PB_BOOL),
};
MESSAGE(pb_kill_request, TASK "KillRequest", struct kill_request, kill_fields);

static const struct pb_field resize_fields[] = {
	F(struct resize_request, id, 1, "id", PB_STRING),
	F(struct resize_request, exec_id, 2, "exec_id", PB_STRING),
	F(struct resize_request, width, 3, "width", PB_UINT32),
	F(struct resize_request, height, 4, "height", PB_UINT32),
};
MESSAGE(pb_resize_request, TASK "ResizePtyRequest", struct resize_request, resize_fields);

static const struct pb_field close_fields[] = {
	F(struct close_request, id, 1, "id", PB_STRING),
	F(struct close_request, exec_id, 2, "exec_id", PB_STRING),
	F(struct close_request, in, 3, "stdin", PB_BOOL),
};
MESSAGE(pb_close_request, TASK "CloseIORequest", struct close_request, close_fields);

static const struct pb_field update_fields[] = {
	F(struct update_request, id, 1, "id", PB_STRING),
	M(struct update_request, resources, 2, "resources", pb_any),
	R(struct update_request, annotations, 3, "annotations", PB_MAP),
};
MESSAGE(pb_update_request, TASK "UpdateTaskRequest", struct update_request, update_fields);

static const struct pb_field checkpoint_fields[] = {
	F(struct checkpoint_request, id, 1, "id", PB_STRING),
	F(struct checkpoint_request, path, 2, "path", PB_STRING),
	M(struct checkpoint_request, options, 3, "options", pb_any),
};
MESSAGE(pb_checkpoint_request, TASK "CheckpointTaskRequest", struct checkpoint_request,
	checkpoint_fields);

static const struct pb_field delete_fields[] = {
	F(struct exit_response, pid, 1, "pid", PB_UINT32),
	F(struct exit_response, exit_status, 2, "exit_status", PB_UINT32),
	M(struct exit_response, exited_at, 3, "exited_at", timestamp),
};
MESSAGE(pb_delete_response, TASK "DeleteResponse", struct exit_response, delete_fields);

static const struct pb_field wait_fields[] = {
	F(struct exit_response, exit_status, 1, "exit_status", PB_UINT32),
	M(struct exit_response, exited_at, 2, "exited_at", timestamp),
};
MESSAGE(pb_wait_response, TASK "WaitResponse", struct exit_response, wait_fields);

static const struct pb_field state_fields[] = {
	F(struct state_response, id, 1, "id", PB_STRING),
	F(struct state_response, bundle, 2, "bundle", PB_STRING),
	F(struct state_response, pid, 3, "pid", PB_UINT32),
	F(struct state_response, status, 4, "status", PB_ENUM),
	F(struct state_response, stdin_uri, 5, "stdin", PB_STRING),
	F(struct state_response, stdout_uri, 6, "stdout", PB_STRING),
	F(struct state_response, stderr_uri, 7, "stderr", PB_STRING),
	F(struct state_response, terminal, 8, "terminal", PB_BOOL),
	F(struct state_response, exit_status, 9, "exit_status", PB_UINT32),
	M(struct state_response, exited_at, 10, "exited_at", timestamp),
	F(struct state_response, exec_id, 11, "exec_id", PB_STRING),
};
MESSAGE(pb_state_response, TASK "StateResponse", struct state_response, state_fields);

static const struct pb_field process_info_fields[] = {
	F(struct process_info, pid, 1, "pid", PB_UINT32),
	M(struct process_info, info, 2, "info", pb_any),
};
static MESSAGE(process_info, "containerd.v1.types.ProcessInfo", struct process_info,
	       process_info_fields);

static const struct pb_field pids_fields[] = {
	RM(struct pids_response, processes, 1, "processes", process_info),
};
MESSAGE(pb_pids_response, TASK "PidsResponse", struct pids_response, pids_fields);

static const struct pb_field stats_fields[] = {
	M(struct stats_response, stats, 1, "stats", pb_any),
};
MESSAGE(pb_stats_response, TASK "StatsResponse", struct stats_response, stats_fields);

static const struct pb_field connect_fields[] = {
	F(struct connect_response, shim_pid, 1, "shim_pid", PB_UINT32),
	F(struct connect_response, task_pid, 2, "task_pid", PB_UINT32),
	F(struct connect_response, version, 3, "version", PB_STRING),
};
MESSAGE(pb_connect_response, TASK "ConnectResponse", struct connect_response, connect_fields);

static const struct pb_field runc_options_fields[] = {
	F(struct runc_options, no_pivot_root, 1, "no_pivot_root", PB_BOOL),
	F(struct runc_options, no_new_keyring, 2, "no_new_keyring", PB_BOOL),
	F(struct runc_options, shim_cgroup, 3, "shim_cgroup", PB_STRING),
	F(struct runc_options, io_uid, 4, "io_uid", PB_UINT32),
	F(struct runc_options, io_gid, 5, "io_gid", PB_UINT32),
	F(struct runc_options, binary_name, 6, "binary_name", PB_STRING),
	F(struct runc_options, root, 7, "root", PB_STRING),
	F(struct runc_options, systemd_cgroup, 9, "systemd_cgroup", PB_BOOL),
	F(struct runc_options, criu_image_path, 10, "criu_image_path", PB_STRING),
	F(struct runc_options, criu_work_path, 11, "criu_work_path", PB_STRING),
};
MESSAGE(pb_runc_options, "containerd.runc.v1.Options", struct runc_options, runc_options_fields);

static const struct pb_field checkpoint_options_fields[] = {
	F(struct checkpoint_options, exit, 1, "exit", PB_BOOL),
	F(struct checkpoint_options, open_tcp, 2, "open_tcp", PB_BOOL),
	F(struct checkpoint_options, external_unix_sockets, 3, "external_unix_sockets", PB_BOOL),
	F(struct checkpoint_options, terminal, 4, "terminal", PB_BOOL),
	F(struct checkpoint_options, file_locks, 5, "file_locks", PB_BOOL),
	R(struct checkpoint_options, empty_namespaces, 6, "empty_namespaces", PB_STRING),
	F(struct checkpoint_options, cgroups_mode, 7, "cgroups_mode", PB_STRING),
	F(struct checkpoint_options, image_path, 8, "image_path", PB_STRING),
	F(struct checkpoint_options, work_path, 9, "work_path", PB_STRING),
	F(struct checkpoint_options, parent_path, 10, "parent_path", PB_STRING),
};
MESSAGE(pb_checkpoint_options, "containerd.runc.v1.CheckpointOptions", struct checkpoint_options,
	checkpoint_options_fields);

static const struct pb_field process_details_fields[] = {
	F(struct process_details, exec_id, 1, "exec_id", PB_STRING),
};
MESSAGE(pb_process_details, "containerd.runc.v1.ProcessDetails", struct process_details,
	process_details_fields);

static const struct pb_field extension_fields[] = {
	M(struct extension, value, 1, "value", pb_any),
};
static MESSAGE(extension, BOOTSTRAP "Extension", struct extension, extension_fields);

static const struct pb_field bootstrap_params_fields[] = {
	F(struct bootstrap_params, instance_id, 1, "instance_id", PB_STRING),
	F(struct bootstrap_params, namespace, 2, "namespace", PB_STRING),
	F(struct bootstrap_params, log_level, 3, "log_level", PB_ENUM),
	F(struct bootstrap_params, version, 4, "containerd_version", PB_STRING),
	F(struct bootstrap_params, ttrpc_address, 5, "containerd_ttrpc_address", PB_STRING),
	F(struct bootstrap_params, grpc_address, 6, "containerd_grpc_address", PB_STRING),
	F(struct bootstrap_params, binary, 7, "containerd_binary", PB_STRING),
	RM(struct bootstrap_params, extensions, 8, "extensions", extension),
	F(struct bootstrap_params, socket_dir, 9, "socket_dir", PB_STRING),
};
MESSAGE(pb_bootstrap_params, BOOTSTRAP "BootstrapParams", struct bootstrap_params,
	bootstrap_params_fields);

static const struct pb_field bootstrap_result_fields[] = {
	F(struct bootstrap_result, version, 1, "version", PB_INT32),
	F(struct bootstrap_result, address, 2, "address", PB_STRING),
	F(struct bootstrap_result, protocol, 3, "protocol", PB_STRING),
	RM(struct bootstrap_result, extensions, 6, "extensions", extension),
};
MESSAGE(pb_bootstrap_result, BOOTSTRAP "BootstrapResult", struct bootstrap_result,
	bootstrap_result_fields);

static const struct pb_field runtime_version_fields[] = {
	F(struct runtime_version, version, 1, "version", PB_STRING),
	F(struct runtime_version, revision, 2, "revision", PB_STRING),
};
static MESSAGE(runtime_version, "containerd.types.RuntimeVersion", struct runtime_version,
	       runtime_version_fields);

static const struct pb_field runtime_info_fields[] = {
	F(struct runtime_info, name, 1, "name", PB_STRING),
	M(struct runtime_info, version, 2, "version", runtime_version),
	M(struct runtime_info, options, 3, "options", pb_any),
	M(struct runtime_info, features, 4, "features", pb_any),
};
MESSAGE(pb_runtime_info, "containerd.types.RuntimeInfo", struct runtime_info, runtime_info_fields);

static const struct pb_field task_io_fields[] = {
	F(struct task_io, stdin_uri, 1, "stdin", PB_STRING),
	F(struct task_io, stdout_uri, 2, "stdout", PB_STRING),
	F(struct task_io, stderr_uri, 3, "stderr", PB_STRING),
	F(struct task_io, terminal, 4, "terminal", PB_BOOL),
};
static MESSAGE(task_io, EVENTS "TaskIO", struct task_io, task_io_fields);

static const struct pb_field task_create_fields[] = {
	F(struct task_create, container_id, 1, "container_id", PB_STRING),
	F(struct task_create, bundle, 2, "bundle", PB_STRING),
	RM(struct task_create, rootfs, 3, "rootfs", mount),
	M(struct task_create, io, 4, "io", task_io),
	F(struct task_create, checkpoint, 5, "checkpoint", PB_STRING),
	F(struct task_create, pid, 6, "pid", PB_UINT32),
};
MESSAGE(pb_task_create, EVENTS "TaskCreate", struct task_create, task_create_fields);

static const struct pb_field task_start_fields[] = {
	F(struct task_event, container_id, 1, "container_id", PB_STRING),
	F(struct task_event, pid, 2, "pid", PB_UINT32),
};
MESSAGE(pb_task_start, EVENTS "TaskStart", struct task_event, task_start_fields);

static const struct pb_field task_exit_fields[] = {
	F(struct task_exit, container_id, 1, "container_id", PB_STRING),
	F(struct task_exit, id, 2, "id", PB_STRING),
	F(struct task_exit, pid, 3, "pid", PB_UINT32),
	F(struct task_exit, exit_status, 4, "exit_status", PB_UINT32),
	M(struct task_exit, exited_at, 5, "exited_at", timestamp),
};
MESSAGE(pb_task_exit, EVENTS "TaskExit", struct task_exit, task_exit_fields);

static const struct pb_field task_delete_fields[] = {
	F(struct task_exit, container_id, 1, "container_id", PB_STRING),
	F(struct task_exit, pid, 2, "pid", PB_UINT32),
	F(struct task_exit, exit_status, 3, "exit_status", PB_UINT32),
	M(struct task_exit, exited_at, 4, "exited_at", timestamp),
	F(struct task_exit, id, 5, "id", PB_STRING),
};
MESSAGE(pb_task_delete, EVENTS "TaskDelete", struct task_exit, task_delete_fields);

static const struct pb_field task_id_fields[] = {
	F(struct task_event, container_id, 1, "container_id", PB_STRING),
};
MESSAGE(pb_task_oom, EVENTS "TaskOOM", struct task_event, task_id_fields);
MESSAGE(pb_task_paused, EVENTS "TaskPaused", struct task_event, task_id_fields);
MESSAGE(pb_task_resumed, EVENTS "TaskResumed", struct task_event, task_id_fields);

static const struct pb_field task_exec_fields[] = {
	F(struct task_event, container_id, 1, "container_id", PB_STRING),
	F(struct task_event, exec_id, 2, "exec_id", PB_STRING),
	F(struct task_event, pid, 3, "pid", PB_UINT32),
};
MESSAGE(pb_task_exec_started, EVENTS "TaskExecStarted", struct task_event, task_exec_fields);

const struct pb_message pb_task_exec_added = {EVENTS "TaskExecAdded", task_exec_fields, 2,
					      sizeof(struct task_event)};

static const struct pb_field task_checkpointed_fields[] = {
	F(struct task_checkpointed, container_id, 1, "container_id", PB_STRING),
	F(struct task_checkpointed, checkpoint, 2, "checkpoint", PB_STRING),
};
MESSAGE(pb_task_checkpointed, EVENTS "TaskCheckpointed", struct task_checkpointed,
	task_checkpointed_fields);

static const struct pb_field envelope_fields[] = {
	M(struct envelope, timestamp, 1, "timestamp", timestamp),
	F(struct envelope, namespace, 2, "namespace", PB_STRING),
	F(struct envelope, topic, 3, "topic", PB_STRING),
	M(struct envelope, event, 4, "event", pb_any),
};
static MESSAGE(envelope, "containerd.types.Envelope", struct envelope, envelope_fields);

static const struct pb_field forward_fields[] = {
	M(struct forward_request, envelope, 1, "envelope", envelope),
};
MESSAGE(pb_forward_request, "containerd.services.events.ttrpc.v1.ForwardRequest",
	struct forward_request, forward_fields);

static const struct pb_field log_counters_fields[] = {
	F(struct log_counters, bytes, 1, "bytes", PB_UINT64),
	F(struct log_counters, lines, 2, "lines", PB_UINT64),
	F(struct log_counters, lost, 3, "lost_bytes", PB_UINT64),
	F(struct log_counters, stall, 4, "longest_stall_nanos", PB_UINT64),
};
MESSAGE(pb_log_counters, "gantry.shim.v1.LogCounters", struct log_counters, log_counters_fields);

const struct pb_message *const pb_messages[] = {
	&key_value,
	&pb_request,
	&status,
	&pb_response,
	&mount,
	&pb_create_request,
	&pb_create_response,
	&pb_start_response,
	&pb_exec_request,
	&pb_state_request,
	&pb_start_request,
	&pb_delete_request,
	&pb_wait_request,
	&pb_pids_request,
	&pb_pause_request,
	&pb_resume_request,
	&pb_stats_request,
	&pb_connect_request,
	&pb_shutdown_request,
	&pb_kill_request,
	&pb_resize_request,
	&pb_close_request,
	&pb_update_request,
	&pb_checkpoint_request,
	&pb_delete_response,
	&pb_wait_response,
	&pb_state_response,
	&process_info,
	&pb_pids_response,
	&pb_stats_response,
	&pb_connect_response,
	&pb_runc_options,
	&pb_checkpoint_options,
	&pb_process_details,
	&extension,
	&pb_bootstrap_params,
	&pb_bootstrap_result,
	&pb_task_create,
	&task_io,
	&pb_task_start,
	&pb_task_exit,
	&pb_task_delete,
	&pb_task_oom,
	&pb_task_paused,
	&pb_task_resumed,
	&pb_task_exec_added,
	&pb_task_exec_started,
	&pb_task_checkpointed,
	&envelope,
	&pb_forward_request,
	NULL,
};
