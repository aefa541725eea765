/*
 * exits.c: the exit of a process on disk, so that none is lost when the daemon
 * is away or the shim is killed: exit.json in the bundle for the container,
 * EXEC.exit.json for others.  The keys are containerd's, and the boot id, with
 * which a file from before a reboot is told, and the process's start time.
 */
#include "json.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_RECORD = 4096 };

static char *
boot_id(void)
{
	cleanup_buf struct buf text = {0};

	if (read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, MAX_RECORD) < 0 ||
	    text.len < 1)
		return NULL;
	text.len--; /* the newline */
	return str_copy(buf_str(&text));
}

char *
start_time(pid_t pid)
{
	cleanup_free char *name = str_format("/proc/%d/stat", pid);
	cleanup_buf struct buf text = {0};
	const char *at;

	if (name == NULL || read_file(AT_FDCWD, name, &text, MAX_RECORD) < 0)
		return NULL;
	buf_put(&text, "", 1);
	at = text.failed ? NULL : strrchr((const char *)text.data, ')');
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at == NULL ? NULL : str_copy((struct str){at, strcspn(at, " ")});
}

static char *
file_name(const struct process *p)
{
	return p->exec_id == NULL ? strdup("exit.json") : str_format("%s.exit.json", p->exec_id);
}

void
exit_save(const struct process *p)
{
	cleanup_free char *name = file_name(p), *boot = boot_id();
	cleanup_buf struct buf text = {0};
	char at[80];
	int error = -ENOMEM;

	format_stamp(p->exited_at, at);
	buf_printf(&text,
		   "{\"Timestamp\":\"%s\",\"Pid\":%d,\"Status\":%u,\"StartTime\":%s,\"BootID\":\"%"
		   "s\"}\n",
		   at, p->pid, p->exit_status, p->started == NULL ? "0" : p->started,
		   boot == NULL ? "" : boot);
	if (name != NULL && !text.failed)
		error = publish_file(p->container->directory, name, buf_str(&text), true);
	if (error != 0)
		log_error("cannot record the exit of %s: %s", p->container->id, strerror(-error));
}

int
exit_load(int bundle, struct exit_record *out)
{
	cleanup_buf struct buf text = {0};
	cleanup_free char *boot = boot_id(), *then = NULL, *at = NULL;
	int error = read_file(bundle, "exit.json", &text, MAX_RECORD);
	struct str record = buf_str(&text);

	if (error != 0)
		return error;
	then = json_text(json_member(record, "BootID"));
	at = json_text(json_member(record, "Timestamp"));
	if (then == NULL || boot == NULL || strcmp(then, boot) != 0)
		return -ESTALE;
	if (at == NULL || !parse_stamp(at, &out->at))
		return -EBADMSG;
	out->pid = (uint32_t)json_number(json_member(record, "Pid"));
	out->status = (uint32_t)json_number(json_member(record, "Status"));
	return 0;
}

void
exit_remove(const struct process *p)
{
	cleanup_free char *name = file_name(p);

	if (name != NULL)
		unlinkat(p->container->directory, name, 0);
}
