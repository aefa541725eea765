/*
 * io.c: where the streams of a process go.
 *
 * A FIFO is given to the process itself: nothing is copied here, and we hold
 * its other end, so that the process neither gets SIGPIPE nor the end of its
 * input while the daemon is away.  A log, a file and attachers are served from
 * pipes that we read, a terminal from its master, which runc sends us.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { BLOCK = 32768, MUCH_TYPED = 65536 };

static void stream_ready(struct watch *watch, uint32_t events);
static void out_ready(struct watch *watch, uint32_t events);
static void input_ready(struct watch *watch, uint32_t events);
static void typed_ready(struct watch *watch, uint32_t events);
static void console_ready(struct watch *watch, uint32_t events);

int
io_init(struct io *io, bool terminal, struct str in, struct str out, struct str err)
{
	io->terminal = terminal;
	io->console = io->out = -1;
	io->held[0] = io->held[1] = io->held[2] = -1;
	io->input = (struct watch){-1, input_ready};
	io->console_listener = (struct watch){-1, console_ready};
	io->out_ready = (struct watch){-1, out_ready};
	io->typed_ready = (struct watch){-1, typed_ready};
	list_init(&io->attached);
	for (int i = 0; i < 2; i++) {
		io->streams[i].watch = (struct watch){-1, stream_ready};
		io->streams[i].io = io;
		io->streams[i].number = (uint8_t)(i + 1);
	}
	for (int i = 0; i < 3; i++)
		free(io->uri[i]);
	io->uri[0] = str_copy(in);
	io->uri[1] = str_copy(out);
	io->uri[2] = str_copy(err);
	return io->uri[0] == NULL || io->uri[1] == NULL || io->uri[2] == NULL ? -EINVAL : 0;
}

static bool
has_scheme(const char *uri, const char *scheme)
{
	return strncmp(uri, scheme, strlen(scheme)) == 0;
}

bool
io_busy(const struct io *io)
{
	return io->streams[0].watch.fd >= 0 || io->streams[1].watch.fd >= 0 || io->waiting.len > 0;
}

static void
check_drained(struct io *io)
{
	if (io_busy(io))
		return;
	close_fd(&io->out); /* the reader of a FIFO sees the end */
	attached_end(io);
	if (io->drained != NULL)
		io->drained(io);
}

/* ---- output that we read ---- */

static void
stream_end(struct stream *stream)
{
	struct io *io = stream->io;

	if (io->log != NULL)
		log_end(io->log, stream);
	loop_close(&stream->watch);
	stream->ended = true;
	attached_write(io, stream->number, NULL, 0);
	check_drained(io);
}

void
stream_pause(struct stream *stream)
{
	if (stream->watch.fd >= 0 && !stream->paused) {
		/* Without any event in its mask it would still tell of a hang-up, over and over. */
		loop_remove(&stream->watch);
		stream->paused = true;
	}
}

void
stream_resume(struct stream *stream)
{
	if (stream->watch.fd >= 0 && stream->paused) {
		stream->paused = false;
		if (loop_add(&stream->watch, EPOLLIN) < 0)
			stream_end(stream);
	}
}

static void
stream_ready(struct watch *watch, uint32_t events)
{
	static uint8_t block[BLOCK];
	struct stream *stream = owner_of(watch, struct stream, watch);
	struct io *io = stream->io;
	ssize_t n = read(watch->fd, block, sizeof(block));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* a terminal that nobody has open any more says EIO */
		stream_end(stream);
		return;
	}
	if (io->log != NULL)
		log_write(io->log, stream, block, (size_t)n);
	attached_write(io, stream->number, block, (size_t)n);
	if (io->out >= 0) {
		buf_put(&io->waiting, block, (size_t)n);
		out_ready(&io->out_ready, 0);
	}
}

/* Write what is waiting; while the other side does not take it, nothing more is read. */
static void
out_ready(struct watch *watch, uint32_t events)
{
	struct io *io = owner_of(watch, struct io, out_ready);
	int error = write_some(io->out, &io->waiting);

	(void)events;
	if (error == -EAGAIN) {
		stream_pause(&io->streams[0]);
		stream_pause(&io->streams[1]);
		if (watch->fd < 0) {
			watch->fd = fcntl(io->out, F_DUPFD_CLOEXEC, 3);
			if (watch->fd >= 0 && loop_add(watch, EPOLLOUT) == 0)
				return;
		} else {
			return;
		}
	}
	if (error != 0 && error != -EAGAIN)
		log_warn("losing output for %s: %s", io->uri[1], strerror(-error));
	buf_free(&io->waiting);
	if (watch->fd >= 0) {
		loop_close(watch);
		stream_resume(&io->streams[0]);
		stream_resume(&io->streams[1]);
		check_drained(io);
	}
}

/* ---- input that we write ---- */

static void
close_typed(struct io *io)
{
	buf_free(&io->typed);
	loop_close(&io->typed_ready);
}

static void
typed_ready(struct watch *watch, uint32_t events)
{
	struct io *io = owner_of(watch, struct io, typed_ready);
	bool gone = events & (EPOLLERR | EPOLLHUP);
	int error = gone ? -EPIPE : write_some(watch->fd, &io->typed);

	if (error == -EAGAIN) {
		loop_change(watch, EPOLLOUT);
		return;
	}
	if (error != 0 || (io->close_typed && !io->terminal)) {
		close_typed(io);
		return;
	}
	loop_change(watch, 0);
	if (io->input.fd >= 0)
		loop_add(&io->input, EPOLLIN); /* fails if it is there already */
	attached_resume(io);
}

int
io_type(struct io *io, const void *data, size_t n)
{
	if (io->typed_ready.fd < 0 || io->close_typed)
		return -EPIPE;
	buf_put(&io->typed, data, n);
	typed_ready(&io->typed_ready, 0);
	return io->typed.len > MUCH_TYPED ? -EAGAIN : 0;
}

static void
input_ready(struct watch *watch, uint32_t events)
{
	struct io *io = owner_of(watch, struct io, input);
	uint8_t block[4096];
	ssize_t n = read(watch->fd, block, sizeof(block));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || io_type(io, block, (size_t)n) == -EPIPE)
		loop_close(watch);
	else if (io->typed.len > 0)
		loop_remove(watch);
}

void
io_close_input(struct io *io)
{
	close_fd(&io->held[0]);
	io->close_typed = true;
	if (io->typed.len == 0 && io->typed_ready.fd >= 0 && !io->terminal)
		close_typed(io);
}

/* ---- making them ---- */

static int
open_kind(const char *uri, int flags, mode_t *mode)
{
	const char *path = has_scheme(uri, "fifo://") ? uri + 7 : uri;
	struct stat status;
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || S_ISDIR(status.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*mode = status.st_mode;
	return fd;
}

/* The writing end of a FIFO; we hold a reading one, and so need not wait for the daemon's. */
static int
hold_output(struct io *io, int i, int flags)
{
	mode_t mode;
	int fd = open_kind(io->uri[i], O_RDONLY | O_NONBLOCK, &mode);

	if (fd < 0)
		return fd;
	if (!S_ISFIFO(mode)) {
		close(fd);
		return -EINVAL;
	}
	io->held[i] = fd;
	return open_kind(io->uri[i], O_WRONLY | flags, &mode);
}

/* The reading end of a FIFO; we hold a writing one until CloseIO. */
static int
hold_input(struct io *io, int flags)
{
	cleanup_close int both = -1;
	mode_t mode;
	int fd;

	both = open_kind(io->uri[0], O_RDWR | O_NONBLOCK, &mode);
	if (both < 0)
		return both;
	if (!S_ISFIFO(mode))
		return -EINVAL;
	fd = open_kind(io->uri[0], O_RDONLY | flags, &mode);
	io->held[0] = open_kind(io->uri[0], O_WRONLY | O_NONBLOCK, &mode);
	return fd;
}

static int
read_stream(struct stream *stream, int fd)
{
	stream->watch.fd = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return loop_add(&stream->watch, EPOLLIN);
}

/* A pipe whose other end we read; the process's end is *FD. */
static int
read_pipe(struct io *io, int i, int *fd, const struct settings *s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*fd = ends[1];
	/* A process that is not root must be able to open /dev/stdout. */
	if ((s->io_uid != 0 || s->io_gid != 0) && fchown(ends[1], s->io_uid, s->io_gid) < 0)
		log_warn("cannot give a pipe to user %u: %s", s->io_uid, strerror(errno));
	return read_stream(&io->streams[i - 1], ends[0]);
}

static int
open_output(struct io *io, int i, int *fd, const struct settings *s)
{
	const char *uri = io->uri[i];
	int error = 0;

	if (*uri == '\0')
		return 0;
	if (has_scheme(uri, "cri-log://")) {
		if (io->log == NULL)
			io->log = log_open(str_of(uri), &error);
	} else if (has_scheme(uri, "file://")) {
		if (io->out < 0)
			io->out = open(uri + 7,
				       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
		error = io->out < 0 ? -errno : 0;
	} else if (!has_scheme(uri, "attach://")) {
		*fd = hold_output(io, i, 0);
		return *fd < 0 ? *fd : 0;
	}
	return error != 0 ? error : read_pipe(io, i, fd, s);
}

static int
open_input(struct io *io, int *fd)
{
	int ends[2];

	if (io->uri[0][0] == '\0')
		return 0;
	if (!has_scheme(io->uri[0], "attach://")) {
		*fd = hold_input(io, 0);
		return *fd < 0 ? *fd : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*fd = ends[0];
	io->typed_ready.fd = ends[1];
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	return loop_add(&io->typed_ready, 0);
}

/* ---- terminals ---- */

/*
 * The socket is relative to runc's working directory, the bundle, because the
 * path of a socket is short.
 */
static int
listen_for_console(struct io *io, const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	unlink(socket_path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		return -errno;
	io->console_listener.fd = fd;
	error = loop_add(&io->console_listener, EPOLLIN);
	fd = -1;
	return error;
}

static int
receive_console(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char name[4096];
	struct iovec data = {name, sizeof(name)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (isatty(fd))
		return fd;
	close(fd);
	return -ENOTTY;
}

static int
use_console(struct io *io, int master)
{
	int error = 0;

	io->console = master;
	fcntl(master, F_SETFL, O_NONBLOCK);
	if (io->uri[0][0] != '\0') {
		io->typed_ready.fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
		if (io->typed_ready.fd < 0 || loop_add(&io->typed_ready, 0) < 0)
			error = -errno;
		if (!has_scheme(io->uri[0], "attach://")) {
			io->input.fd = hold_input(io, O_NONBLOCK);
			if (io->input.fd < 0 || loop_add(&io->input, EPOLLIN) < 0)
				error = -EINVAL;
		}
	}
	if (error == 0)
		error = read_stream(&io->streams[0], fcntl(master, F_DUPFD_CLOEXEC, 3));
	return error;
}

static void
console_ready(struct watch *watch, uint32_t events)
{
	struct io *io = owner_of(watch, struct io, console_listener);
	cleanup_close int socket = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
	int master;

	(void)events;
	if (socket < 0)
		return;
	master = receive_console(socket);
	loop_close(watch);
	if (master < 0 || use_console(io, master) < 0)
		log_error("runc sent no usable terminal: %s", strerror(master < 0 ? -master : EIO));
}

void
io_started(struct io *io)
{
	if (io->console_listener.fd >= 0)
		console_ready(&io->console_listener, EPOLLIN);
	loop_close(&io->console_listener);
}

static int
open_terminal(struct io *io, const char *socket)
{
	const char *uri = io->uri[1];
	int error = 0;

	if (has_scheme(uri, "cri-log://"))
		io->log = log_open(str_of(uri), &error);
	else if (has_scheme(uri, "file://"))
		io->out = open(uri + 7, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	else if (*uri != '\0' && !has_scheme(uri, "attach://"))
		io->out = hold_output(io, 1, O_NONBLOCK);
	if (error == 0 && io->out < -1)
		error = io->out;
	return error != 0 ? error : listen_for_console(io, socket);
}

int
io_resize(struct io *io, uint32_t width, uint32_t height)
{
	struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};

	if (io->console < 0)
		return -ENOTTY;
	return ioctl(io->console, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int
io_open(struct io *io, int fds[3], const struct settings *s, const char *socket)
{
	int error;

	if (io->terminal)
		return open_terminal(io, socket);
	if (has_scheme(io->uri[1], "binary://"))
		return open_logger(io, fds);
	error = open_input(io, &fds[0]);
	for (int i = 1; i < 3 && error == 0; i++)
		error = open_output(io, i, &fds[i], s);
	return error;
}

void
io_free(struct io *io)
{
	for (int i = 0; i < 2; i++) {
		struct stream *stream = &io->streams[i];

		if (io->log != NULL)
			log_end(io->log, stream);
		loop_close(&stream->watch);
		buf_free(&stream->line);
	}
	attached_end(io);
	loop_close(&io->input);
	loop_close(&io->console_listener);
	loop_close(&io->out_ready);
	close_typed(io);
	buf_free(&io->waiting);
	close_fd(&io->console);
	close_fd(&io->out);
	for (int i = 0; i < 3; i++) {
		close_fd(&io->held[i]);
		free(io->uri[i]);
		io->uri[i] = NULL;
	}
	logger_end(io);
	log_free(io->log);
	io->log = NULL;
}
