package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Optional;

/// A hold on one process that can never come to mean another, as a pid can.
public final class PidFd implements AutoCloseable {

    private final Fd fd;
    private final int pid;

    private PidFd(Fd fd, int pid) {
        this.fd = fd;
        this.pid = pid;
    }

    /// @throws ErrnoException ESRCH when there is no such process
    public static PidFd open(int pid) {
        long fd = Kernel.call(SystemCall.PIDFD_OPEN, pid, 0);
        Kernel.check(fd, "open process", pid);
        return new PidFd(new Fd((int) fd, "process " + pid), pid);
    }

    /// Like [#open], empty when there is no such process.
    public static Optional<PidFd> find(int pid) {
        try {
            return Optional.of(open(pid));
        } catch (ErrnoException e) {
            if (e.is(Errno.ESRCH)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    public int pid() {
        return pid;
    }

    /// Sends the signal; false when the process has ended and been reaped.
    public boolean signal(int signal) {
        long result = Kernel.call(SystemCall.PIDFD_SEND_SIGNAL, fd.value(), signal, 0, 0);
        if (Kernel.failed(result, Errno.ESRCH)) {
            return false;
        }
        Kernel.check(result, "send signal " + signal + " to process", pid);
        return true;
    }

    /// Waits until the process has ended; false when it has not by then. Blocks its carrier: call it on
    /// a platform thread. An interrupt ends the wait within a quarter of a second.
    public boolean await(Duration limit) throws InterruptedException {
        try (Arena arena = Arena.ofConfined()) {
            PollSet set = new PollSet(arena, 1);
            set.watch(0, fd.value(), PollSet.IN);
            long end = System.nanoTime() + limit.toNanos();
            do {
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for process " + pid);
                }
                set.await(end);
                if (set.ready(0)) {
                    return true;
                }
            } while (System.nanoTime() - end < 0);
            return false;
        }
    }

    Fd fd() {
        return fd;
    }

    @Override
    public void close() {
        fd.close();
    }
}
