/*
 * hello: the program of the image gantry.local/hello, with which a node can
 * show a pod at work before it has seen any registry.  One static file that
 * does a handful of things, chosen by the name it is called by or by its
 * first argument:
 *
 *   serve PORT [FILE]            answer HTTP with a greeting and FILE's content
 *   visit URL [SECONDS [FILE]]   fetch URL every SECONDS (default 1), print the
 *                                answer, keep the number of visits in FILE
 *   write FILE TEXT...           replace FILE by a line of TEXT
 *   cat FILE...    ls [DIR]    env    echo TEXT...    sleep SECONDS
 *   exit CODE [SECONDS]          end with CODE, after SECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define cleanup_close __attribute__((cleanup(close_fd)))

enum { CLIENT_PATIENCE_MS = 5000, BUFFER = 4096 };

static void close_fd(const int *fd) {
	if (*fd >= 0) close(*fd);
}

/*
 * As process 1 of a container this program gets no signal that it does not
 * handle, so it handles the two that end it.
 */
static void on_end(int sig) {
	(void)sig;
	_exit(0);
}

static void handle_signals(void) {
	struct sigaction end = {.sa_handler = on_end};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static int complain(const char *what, const char *object) {
	fprintf(stderr, "hello: cannot %s %s: %s\n", what, object, strerror(errno));
	return 1;
}

/* Write all of it; 0 or a negative errno. */
static int write_all(int fd, const char *bytes, size_t length) {
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR) continue;
		if (written < 0) return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Copy until the end of FROM; 0 or a negative errno. */
static int copy(int from, int to) {
	char buffer[BUFFER];

	for (;;) {
		ssize_t got = read(from, buffer, sizeof(buffer));
		int error;

		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return got < 0 ? -errno : 0;
		error = write_all(to, buffer, (size_t)got);
		if (error < 0) return error;
	}
}

/* Wait until FD can be read; false if that takes too long. */
static int readable(int fd) {
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, CLIENT_PATIENCE_MS) == 1;
}

/* Read a request up to its empty line, and the path of its first line into PATH. */
static int read_request(int client, char *path, size_t size) {
	char buffer[BUFFER];
	size_t length = 0;
	const char *end;

	for (;;) {
		ssize_t got;

		if (length == sizeof(buffer) - 1 || !readable(client)) return -EPROTO;
		got = read(client, buffer + length, sizeof(buffer) - 1 - length);
		if (got <= 0) return -EPROTO;
		length += (size_t)got;
		buffer[length] = '\0';
		if (strstr(buffer, "\r\n\r\n") || strstr(buffer, "\n\n")) break;
	}
	if (strncmp(buffer, "GET /", 5) != 0) return -EPROTO;
	end = buffer + 4 + strcspn(buffer + 4, " \r\n");
	if ((size_t)(end - buffer - 4) >= size) return -EPROTO;
	memcpy(path, buffer + 4, (size_t)(end - buffer - 4));
	path[end - buffer - 4] = '\0';
	return 0;
}

static void answer(int client, const char *file, unsigned long number) {
	char path[256], host[65] = "?", peer_text[INET_ADDRSTRLEN] = "?";
	struct sockaddr_in peer = {0};
	socklen_t size = sizeof(peer);
	cleanup_close int shared = -1;

	if (getpeername(client, (struct sockaddr *)&peer, &size) == 0)
		inet_ntop(AF_INET, &peer.sin_addr, peer_text, sizeof(peer_text));
	if (read_request(client, path, sizeof(path)) < 0) {
		dprintf(client, "HTTP/1.0 400 Bad Request\r\n\r\n");
		printf("%s: bad request\n", peer_text);
		return;
	}
	gethostname(host, sizeof(host) - 1);
	printf("%s: GET %s\n", peer_text, path);
	dprintf(client, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n");
	dprintf(client, "Hello from %s, answer %lu.\n", host, number);
	shared = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (shared >= 0) copy(shared, client);
}

static int serve(const char *port, const char *file) {
	struct sockaddr_in address = {.sin_family = AF_INET};
	cleanup_close int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned long number = 0;
	const int yes = 1;

	address.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 16) < 0)
		return complain("listen on port", port);
	printf("serving on port %s\n", port);
	for (;;) {
		cleanup_close int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0)
			answer(client, file, ++number);
		else if (errno != EINTR && errno != ECONNABORTED)
			return complain("accept on port", port);
	}
}

/* Take http://HOST[:PORT][/PATH] apart; HOST is an IPv4 address or localhost. */
static int parse_url(const char *url, struct sockaddr_in *address, const char **path) {
	char host[64];
	size_t length;
	unsigned long port = 80;

	if (strncmp(url, "http://", 7) != 0) return -EINVAL;
	url += 7;
	length = strcspn(url, ":/");
	if (length == 0 || length >= sizeof(host)) return -EINVAL;
	memcpy(host, url, length);
	host[length] = '\0';
	url += length;
	if (*url == ':') {
		char *end;

		port = strtoul(url + 1, &end, 10);
		url = end;
	}
	if (port == 0 || port > 65535) return -EINVAL;
	*path = *url ? url : "/";
	address->sin_family = AF_INET;
	address->sin_port = htons((unsigned short)port);
	return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
			 &address->sin_addr) == 1
		       ? 0
		       : -EINVAL;
}

/* Skip the head of an answer and print the rest; 0 or a negative errno. */
static int print_body(int server) {
	char buffer[BUFFER];
	size_t length = 0;
	const char *body;

	for (;;) {
		ssize_t got;

		if (length == sizeof(buffer) - 1 || !readable(server)) return -EPROTO;
		got = read(server, buffer + length, sizeof(buffer) - 1 - length);
		if (got <= 0) return -EPROTO;
		length += (size_t)got;
		buffer[length] = '\0';
		body = strstr(buffer, "\r\n\r\n");
		if (body) break;
	}
	fflush(stdout);
	if (write_all(STDOUT_FILENO, body + 4, length - (size_t)(body + 4 - buffer)) < 0)
		return -EIO;
	return copy(server, STDOUT_FILENO);
}

static int fetch(const struct sockaddr_in *address, const char *path) {
	cleanup_close int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || connect(server, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	if (dprintf(server, "GET %s HTTP/1.0\r\nConnection: close\r\n\r\n", path) < 0)
		return -errno;
	return print_body(server);
}

/* Put a file in place whole, so that a reader never sees half of it. */
static int replace_file(const char *file, const char *format, ...) {
	cleanup_close int fd = -1;
	char temporary[4096];
	va_list arguments;
	int error;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", file) >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) return -errno;
	va_start(arguments, format);
	error = vdprintf(fd, format, arguments);
	va_end(arguments);
	return error < 0 || rename(temporary, file) < 0 ? -errno : 0;
}

static void pause_for(const char *seconds) {
	double time = strtod(seconds, NULL);
	struct timespec left = {.tv_sec = (time_t)time};

	left.tv_nsec = (long)((time - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

static int visit(const char *url, const char *seconds, const char *file) {
	struct sockaddr_in address = {0};
	const char *path;

	if (parse_url(url, &address, &path) < 0) {
		errno = EINVAL;
		return complain("understand", url);
	}
	for (unsigned long visits = 1;; visits++) {
		int error = fetch(&address, path);

		if (error < 0) printf("%s: %s\n", url, strerror(-error));
		if (file) error = replace_file(file, "Visited %lu times.\n", visits);
		if (file && error < 0) {
			errno = -error;
			return complain("write", file);
		}
		pause_for(seconds);
	}
}

static int write_file(const char *file, char **words) {
	char line[BUFFER] = "";
	size_t length = 0;

	for (; *words; words++) {
		int added = snprintf(line + length, sizeof(line) - length, "%s%s",
				     length ? " " : "", *words);

		if (added < 0 || (size_t)added >= sizeof(line) - length) {
			errno = E2BIG;
			return complain("write", file);
		}
		length += (size_t)added;
	}
	errno = -replace_file(file, "%s\n", line);
	return errno ? complain("write", file) : 0;
}

static int cat(char **files) {
	for (; *files; files++) {
		cleanup_close int fd = open(*files, O_RDONLY | O_CLOEXEC);

		if (fd < 0) return complain("open", *files);
		errno = -copy(fd, STDOUT_FILENO);
		if (errno) return complain("read", *files);
	}
	return 0;
}

static int ls(const char *folder) {
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0) return complain("list", folder);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') puts(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static int echo(char **words) {
	for (; *words; words++)
		printf("%s%s", *words, words[1] ? " " : "");
	putchar('\n');
	return 0;
}

static int env(void) {
	for (char **variable = environ; *variable; variable++)
		puts(*variable);
	return 0;
}

static int misuse(void) {
	fputs("usage: hello serve PORT [FILE] | visit URL [SECONDS [FILE]] | write FILE TEXT... | "
	      "cat FILE... | ls [DIR] | env | echo TEXT... | sleep SECONDS | exit CODE [SECONDS]\n",
	      stderr);
	return 2;
}

/* Do WHAT with the COUNT arguments; a null pointer ends them. */
static int perform(const char *what, int count, char **arguments) {
	if (!strcmp(what, "serve") && (count == 1 || count == 2))
		return serve(arguments[0], arguments[1]);
	if (!strcmp(what, "visit") && count >= 1 && count <= 3)
		return visit(arguments[0], count > 1 ? arguments[1] : "1",
			     count > 2 ? arguments[2] : NULL);
	if (!strcmp(what, "write") && count >= 2) return write_file(arguments[0], arguments + 1);
	if (!strcmp(what, "cat") && count >= 1) return cat(arguments);
	if (!strcmp(what, "ls") && count <= 1) return ls(count ? arguments[0] : ".");
	if (!strcmp(what, "env") && count == 0) return env();
	if (!strcmp(what, "echo")) return echo(arguments);
	if (!strcmp(what, "sleep") && count == 1) {
		pause_for(arguments[0]);
		return 0;
	}
	if (!strcmp(what, "exit") && (count == 1 || count == 2)) {
		pause_for(count > 1 ? arguments[1] : "0");
		return (int)strtoul(arguments[0], NULL, 10) & 0xff;
	}
	return misuse();
}

int main(int argc, char **argv) {
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
	int status;

	handle_signals();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(name, "hello") != 0)
		status = argc > 0 ? perform(name, argc - 1, argv + 1) : misuse();
	else
		status = argc > 1 ? perform(argv[1], argc - 2, argv + 2) : misuse();
	if (fflush(stdout) != 0) status = complain("write", "the output");
	return status;
}
