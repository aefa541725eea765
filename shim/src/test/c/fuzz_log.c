/*
 * fuzz_log.c: the first byte is the longest line, the others the output of two
 * streams in pieces: a piece begins with its length, of which the lowest bit
 * says which stream.  The log must hold what was written, and nothing else.
 */
#include "test.h"

/* What the streams wrote, as far as the log can tell: an end of the last line is added. */
static struct buf written[2], read_back[2];

static void read_log(const char *path, size_t line_size) {
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_buf struct buf text = {0};

	check(fd >= 0 && read_fd(fd, &text, 16 << 20) == 0);
	struct str rest = buf_str(&text);
	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		check(line.n >= 40 && line.n - 40 <= line_size);
		check(memcmp(line.p + 29, "Z std", 5) == 0);
		struct buf *out = &read_back[memcmp(line.p + 34, "out ", 4) == 0 ? 0 : 1];
		check(line.p[38] == 'F' || line.p[38] == 'P');
		buf_put(out, line.p + 40, line.n - 40);
		if (line.p[38] == 'F') buf_put(out, "\n", 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	cleanup_free char *path = str_format("/dev/shm/gantry-fuzz-log-%d", getpid());
	cleanup_free char *uri = NULL;
	struct stream streams[2] = {{.number = 1}, {.number = 2}};
	struct log *log;

	if (size == 0) return 0;
	size_t line_size = data[0] % 32 + 1;
	uri = str_format("%s?max_line=%zu", path, line_size);
	check(log_open(&log, uri) == 0);
	for (size_t at = 1; at < size;) {
		int which = data[at] & 1;
		size_t n = data[at] >> 1;

		n = n < size - at - 1 ? n : size - at - 1;
		log_write(log, &streams[which], data + at + 1, n);
		buf_put(&written[which], data + at + 1, n);
		at += n + 1;
	}
	for (int i = 0; i < 2; i++)
		log_end(log, &streams[i]);
	read_log(path, line_size);
	unlink(path);
	log_free(log);
	for (int i = 0; i < 2; i++) {
		check(written[i].len == read_back[i].len);
		check(written[i].len == 0 ||
		      memcmp(written[i].data, read_back[i].data, written[i].len) == 0);
		buf_free(&written[i]);
		buf_free(&read_back[i]);
	}
	return 0;
}
