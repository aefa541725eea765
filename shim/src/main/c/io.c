/*
 * io.c: where the streams of a process go.
 *
 * A FIFO or a file is given to the process itself: nothing is copied here, and
 * of a FIFO we hold the other end, so that the process neither gets SIGPIPE
 * nor the end of its input while the daemon is away.  A log and clients are
 * served from pipes that we read, a terminal from its master, which runc sends
 * us.
 */
#include "shim.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

enum { BLOCK = 65536, MUCH = 65536, MAX_LOGGER_WORDS = 32 };

static void stream_ready(struct watch *watch, uint32_t events);
static void console_ready(struct watch *watch, uint32_t events);

int io_init(struct io *io, bool terminal, struct str in, struct str out, struct str err) {
	struct str uris[] = {in, out, err};

	io->terminal = terminal;
	io->console = io->logger = io->typed.watch.fd = -1;
	io->console_socket = (struct watch){-1, 0, console_ready};
	list_init(&io->clients);
	for (int i = 0; i < 2; i++)
		io->streams[i] = (struct stream){
			.watch = {-1, 0, stream_ready}, .io = io, .number = (uint8_t)(i + 1)};
	for (int i = 0; i < 3; i++) {
		io->held[i] = -1;
		free(io->uri[i]);
		io->uri[i] = str_copy(uris[i]);
	}
	return io->uri[0] == NULL || io->uri[1] == NULL || io->uri[2] == NULL ? -EINVAL : 0;
}

/* ---- output that we read ---- */

static bool reading(const struct io *io) {
	return io->streams[0].watch.fd >= 0 || io->streams[1].watch.fd >= 0;
}

bool io_busy(const struct io *io) {
	/* Where there is a log it has everything, and nobody waits for the others. */
	return reading(io) || (io->log == NULL && clients_behind(io, 0));
}

void io_update(struct io *io) {
	bool slow = io->log == NULL && clients_behind(io, MUCH);

	for (int i = 0; i < 2; i++)
		loop_want(&io->streams[i].watch, slow ? 0 : EPOLLIN);
	if (io->drained != NULL && !io_busy(io)) io->drained(io);
}

static void stream_end(struct stream *stream) {
	struct io *io = stream->io;

	if (io->log != NULL) log_end(io->log, stream);
	loop_close(&stream->watch);
	stream->ended = true;
	clients_write(io, stream->number, NULL, 0);
	if (!reading(io)) clients_end(io);
	io_update(io);
}

static void stream_ready(struct watch *watch, uint32_t events) {
	static uint8_t block[BLOCK];
	struct stream *stream = owner_of(watch, struct stream, watch);
	struct io *io = stream->io;
	ssize_t n = events == 0 ? 0 : read(watch->fd, block, sizeof(block));

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0) { /* a terminal that nobody has open any more says EIO */
		stream_end(stream);
		return;
	}
	if (io->log != NULL) log_write(io->log, stream, block, (size_t)n);
	if (list_empty(&io->clients)) return;
	clients_write(io, stream->number, block, (size_t)n);
	io_update(io);
}

static int read_stream(struct stream *stream, int fd) {
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) return -errno;
	stream->watch.fd = fd;
	return loop_want(&stream->watch, EPOLLIN);
}

/* ---- input that we write ---- */

/* Later: a client may be at work, and another may leave. */
static void typed_sent(struct channel *channel) {
	timer_start(&owner_of(channel, struct io, typed)->resume, 0);
}

static void typed_closed(struct channel *channel) {
	channel_close(channel);
	typed_sent(channel); /* what clients send from now on goes nowhere */
}

static void resume_due(struct timer *timer) {
	clients_resume(owner_of(timer, struct io, resume));
}

static int open_typed(struct io *io, int fd) {
	io->resume.fire = resume_due;
	io->typed = (struct channel){.sent = typed_sent, .closed = typed_closed};
	return channel_open(&io->typed, fd);
}

int io_type(struct io *io, const void *data, size_t n) {
	if (io->typed.watch.fd < 0 || io->input_ended) return -EPIPE;
	buf_put(&io->typed.out, data, n);
	channel_send(&io->typed);
	return io->typed.out.len > MUCH ? -EAGAIN : 0;
}

void io_close_input(struct io *io) {
	close_fd(&io->held[0]);
	/* A terminal is for whoever comes next as well, unless it is to be typed on once. */
	io->input_ended |= !io->terminal || strstr(io->uri[0], "?once") != NULL;
	if (io->typed.watch.fd >= 0 && !io->terminal) channel_end(&io->typed);
}

/* ---- what is at the other end ---- */

static int open_plain(const char *path, int flags, bool fifo) {
	struct stat status;
	/* Nobody else may be there yet, which must not hold us up. */
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0) return -errno;
	if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || !fifo) &&
	    !S_ISDIR(status.st_mode) && fcntl(fd, F_SETFL, flags) == 0)
		return fd;
	close(fd);
	return -EINVAL;
}

static const char *fifo_path(const char *uri) {
	return after(uri, "fifo://") != NULL ? after(uri, "fifo://") : uri;
}

/* The writing end of a FIFO; we hold a reading one, and so need not wait for the daemon's. */
static int hold_output(struct io *io, int i) {
	io->held[i] = open_plain(fifo_path(io->uri[i]), O_RDONLY | O_NONBLOCK, true);
	return io->held[i] < 0 ? io->held[i] : open_plain(fifo_path(io->uri[i]), O_WRONLY, true);
}

/* The reading end of a FIFO; we hold a writing one until CloseIO. */
static int hold_input(struct io *io) {
	const char *path = fifo_path(io->uri[0]);
	cleanup_close int both = open_plain(path, O_RDWR | O_NONBLOCK, true);

	if (both < 0) return both;
	io->held[0] = open_plain(path, O_WRONLY | O_NONBLOCK, true);
	return open_plain(path, O_RDONLY, true);
}

/*
 * A log program of the daemon's choice, "binary:///usr/bin/logger?key=value":
 * it gets the reading ends of stdout and stderr as 3 and 4, and 5 to say that
 * it is ready, which is not waited for, since what it has not read yet waits
 * in the pipes.
 */
static int open_logger(struct io *io, int fds[3], const struct container *c) {
	cleanup_free char *uri = strdup(after(io->uri[1], "binary://"));
	cleanup_close int out = -1, err = -1;
	char *words[MAX_LOGGER_WORDS + 1] = {0}, *rest = uri;
	int ends[2][2];
	pid_t pid;

	if (uri == NULL) return -ENOMEM;
	for (int n = 0; rest != NULL && n < MAX_LOGGER_WORDS; n++) {
		words[n] = strsep(&rest, n == 0 ? "?" : n % 2 == 1 ? "=&" : "&");
		percent_decode(words[n]);
	}
	if (pipe2(ends[0], O_CLOEXEC) < 0) return -errno;
	out = ends[0][0];
	fds[1] = ends[0][1];
	if (pipe2(ends[1], O_CLOEXEC) < 0) return -errno;
	err = ends[1][0];
	fds[2] = ends[1][1];
	if (setenv("CONTAINER_ID", c->id, true) < 0) return -ENOMEM;
	pid = spawn(&(struct spawn){
		.argv = (const char *const *)words,
		.fds = {-1, -1, -1, out, err, -1},
		.count = 6,
		.outlives_us = true,
	});
	unsetenv("CONTAINER_ID");
	io->logger = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	return pid < 0 ? pid : 0;
}

/* What the process's output I is written to, by itself or, if it has a terminal, by us. */
static int open_output(struct io *io, int i, int *fd) {
	const char *uri = io->uri[i], *path = after(uri, "file://");
	int error = 0;

	if (*uri == '\0' || after(uri, "attach://") != NULL) return 0;
	if (after(uri, "cri-log://") != NULL)
		error = io->log != NULL ? 0 : log_open(&io->log, after(uri, "cri-log://"));
	else if (path != NULL)
		error = *fd = open_plain(path, O_WRONLY | O_CREAT | O_APPEND, false);
	else
		error = *fd = hold_output(io, i);
	return error < 0 ? error : 0;
}

/* A pipe that we read; the process's end is *FD. */
static int open_pipe(struct io *io, int i, int *fd, const struct settings *s) {
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
	*fd = ends[1];
	/* A process that is not root must be able to open /dev/stdout. */
	if ((s->io_uid != 0 || s->io_gid != 0) && fchown(ends[1], s->io_uid, s->io_gid) < 0)
		log_warn("cannot give a pipe to user %u: %s", s->io_uid, strerror(errno));
	return read_stream(&io->streams[i - 1], ends[0]);
}

static int open_input(struct io *io, int *fd) {
	int ends[2];

	if (io->uri[0][0] == '\0') return 0;
	if (after(io->uri[0], "attach://") == NULL) {
		*fd = hold_input(io);
		return *fd < 0 ? *fd : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
	*fd = ends[0];
	return open_typed(io, ends[1]);
}

/* ---- terminals ---- */

static int listen_for_console(struct io *io, const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	unlink(path);
	io->console_socket.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (io->console_socket.fd < 0 ||
	    bind(io->console_socket.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(io->console_socket.fd, 1) < 0)
		return -errno;
	return loop_want(&io->console_socket, EPOLLIN);
}

static int receive_console(int socket) {
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

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (isatty(fd)) return fd;
	close(fd);
	return -ENOTTY;
}

static int use_console(struct io *io, int master) {
	bool typed = io->uri[0][0] != '\0';
	int error;

	if (master < 0) return master;
	io->console = master;
	error = typed ? open_typed(io, fcntl(master, F_DUPFD_CLOEXEC, 3)) : 0;
	if (error == 0 && typed && after(io->uri[0], "attach://") == NULL)
		error = client_raw(io, hold_input(io), true);
	if (error == 0) error = read_stream(&io->streams[0], fcntl(master, F_DUPFD_CLOEXEC, 3));
	return error;
}

/* Its name goes with it. */
static void close_console(struct watch *watch) {
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address) - 1;

	if (watch->fd >= 0 && getsockname(watch->fd, (struct sockaddr *)&address, &size) == 0)
		unlink(address.sun_path);
	loop_close(watch);
}

/* The connection is there: the terminal comes when the process is about to run. */
static void console_sent(struct watch *watch, uint32_t events) {
	struct io *io = owner_of(watch, struct io, console_socket);
	int master = events == 0 ? -EAGAIN : receive_console(watch->fd), error;

	if (master == -EAGAIN) return;
	close_console(watch);
	error = use_console(io, master);
	if (error != 0) log_error("runc sent no usable terminal: %s", strerror(-error));
}

static void console_ready(struct watch *watch, uint32_t events) {
	int fd = events == 0 ? -1 : accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) return;
	close_console(watch);
	*watch = (struct watch){fd, 0, console_sent};
	if (loop_want(watch, EPOLLIN) != 0) close_console(watch);
}

void io_started(struct io *io) {
	struct watch *console = &io->console_socket;

	if (console->fd >= 0 && console->ready == console_ready) console_ready(console, EPOLLIN);
	if (console->fd >= 0 && console->ready == console_sent) console_sent(console, EPOLLIN);
	close_console(console);
	io->opened = true;
	clients_resume(io);
}

int io_resize(struct io *io, uint64_t width, uint64_t height) {
	struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};

	if (io->console < 0) return -ENOTTY;
	return ioctl(io->console, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* ---- all of them ---- */

int io_open(struct io *io, int fds[3], const struct process *p, const char *console) {
	const struct container *c = p->container;
	bool logger = after(io->uri[1], "binary://") != NULL;
	int error = logger ? open_logger(io, fds, c) : 0;

	for (int i = 1; i < 3 && error == 0 && !logger && !(io->terminal && i == 2); i++) {
		error = open_output(io, i, &fds[i]);
		if (error == 0 && !io->terminal && fds[i] < 0 && io->uri[i][0] != '\0')
			error = open_pipe(io, i, &fds[i], &c->settings);
	}
	if (error != 0 || !io->terminal) return error != 0 ? error : open_input(io, &fds[0]);
	if (fds[1] >= 0) { /* the terminal has it, so what is written there comes through us */
		error = client_raw(io, fds[1], false);
		fds[1] = -1;
	}
	return error != 0 ? error : listen_for_console(io, console);
}

void io_free(struct io *io) {
	for (int i = 0; i < 2; i++) {
		if (io->log != NULL) log_end(io->log, &io->streams[i]);
		loop_close(&io->streams[i].watch);
		buf_free(&io->streams[i].line);
	}
	clients_leave(io);
	close_console(&io->console_socket);
	timer_stop(&io->resume);
	channel_close(&io->typed);
	close_fd(&io->console);
	for (int i = 0; i < 3; i++) {
		close_fd(&io->held[i]);
		free(io->uri[i]);
		io->uri[i] = NULL;
	}
	/* It sees the end of both pipes; the signal is for one that does not look. */
	if (io->logger >= 0) syscall(SYS_pidfd_send_signal, io->logger, SIGTERM, NULL, 0);
	close_fd(&io->logger);
	log_free(io->log);
	io->log = NULL;
}
