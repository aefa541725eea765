/*
 * flood.c: writes lines as fast as its reader takes them, for hack/bench shim.
 *
 * flood LINE TOTAL: TOTAL bytes in lines of LINE bytes, the line's end counted, in writes of
 * up to 64 KiB.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 65536 };

int main(int argc, char **argv) {
	static char block[BLOCK];
	size_t line = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long long left = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	size_t whole;

	if (line == 0 || line > BLOCK) return 2;
	whole = BLOCK / line * line;
	memset(block, 'x', whole);
	for (size_t end = line; end <= whole; end += line)
		block[end - 1] = '\n';
	while (left > 0) {
		size_t n = left < whole ? (size_t)left / line * line : whole;

		if (n == 0) break;
		for (size_t done = 0; done < n;) {
			ssize_t written = write(STDOUT_FILENO, block + done, n - done);

			if (written < 0) return 1;
			done += (size_t)written;
		}
		left -= n;
	}
	return 0;
}
