/*
 * pause: holds the namespaces of a pod and does nothing else.
 *
 * There is one such process for each pod of a node, so it is written without
 * a C library: it touches two pages in its whole life.  Where the pod's
 * containers share one PID namespace it is process 1 of it and inherits every
 * orphan, which it must reap.
 *
 *   pause      wait until SIGTERM or SIGINT, then exit with 0
 *   pause -v   print the version
 */
#include <asm/unistd.h>

#define SIGINT 2
#define SIGTERM 15
#define SIGCHLD 17
#define SIG_BLOCK 0
#define WNOHANG 1
#define EINTR 4

#define MASK(sig) (1UL << ((sig)-1))

/* Named by the build. */
#ifndef VERSION
#define VERSION "unknown"
#endif

#if defined(__x86_64__)

/* The kernel leaves argc and argv on the stack; the ABI wants it aligned. */
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call run\n");

static long syscall4(long number, long a, long b, long c, long d) {
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl run\n");

static long syscall4(long number, long a, long b, long c, long d) {
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

#else
#error "pause knows x86_64 and aarch64 only"
#endif

static _Noreturn void leave(int status) {
	for (;;)
		syscall4(__NR_exit_group, status, 0, 0, 0);
}

static void reap(void) {
	while (syscall4(__NR_wait4, -1, 0, WNOHANG, 0) > 0)
		continue;
}

__attribute__((used, noreturn)) void run(const long *stack) {
	static const char version[] = "pause " VERSION "\n";
	const unsigned long signals = MASK(SIGTERM) | MASK(SIGINT) | MASK(SIGCHLD);
	const char *const *argv = (const char *const *)(stack + 1);
	const char *option = stack[0] > 1 ? argv[1] : "";

	if (option[0] == '-' && option[1] == 'v' && option[2] == '\0') {
		syscall4(__NR_write, 1, (long)version, sizeof(version) - 1, 0);
		leave(0);
	}

	/*
	 * The kernel drops a signal to process 1 that has no handler, unless
	 * it is blocked: so they are blocked and waited for.
	 */
	syscall4(__NR_rt_sigprocmask, SIG_BLOCK, (long)&signals, 0, sizeof(signals));
	reap(); /* children that ended before the line above */
	for (;;) {
		long sig = syscall4(__NR_rt_sigtimedwait, (long)&signals, 0, 0, sizeof(signals));

		if (sig == SIGCHLD)
			reap();
		else if (sig != -EINTR)
			leave(sig > 0 ? 0 : 1);
	}
}
