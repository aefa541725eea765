package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One run of a command: its pipes and its process, waited for together by one poll on the caller's
/// thread.
final class RunningCommand implements AutoCloseable {

    private static final int INPUT = 0;
    private static final int OUTPUT = 1;
    private static final int ERRORS = 2;
    private static final int PROCESS = 3;
    private static final long GRACE = 1_000_000_000L;
    private static final long KILL_GRACE = 5_000_000_000L;
    private static final int BUFFER = 64 * 1024;

    private final Spawn.Command command;
    private final Duration timeout;
    private final Arena arena = Arena.ofConfined();
    private final PollSet polled = new PollSet(arena, 4);
    private final ByteBuffer buffer = arena.allocate(BUFFER).asByteBuffer();
    private final Captured output = new Captured();
    private final Captured errors = new Captured();

    // Null once closed; the array's places are the constants above.
    private final @Nullable Fd[] ours = new @Nullable Fd[3];
    private @Nullable PidFd process;
    private ByteBuffer input = ByteBuffer.allocate(0);
    private int exitCode = -1;

    private final class Captured {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(0);
        private boolean truncated;

        void add(ByteBuffer more) {
            int kept = Math.min(more.remaining(), command.outputLimit() - bytes.size());
            truncated |= kept < more.remaining();
            byte[] part = new byte[kept];
            more.get(part);
            bytes.writeBytes(part);
        }
    }

    RunningCommand(Spawn.Command command, Duration timeout) {
        this.command = command;
        this.timeout = timeout;
    }

    Spawn.Result run() throws InterruptedException {
        long end = System.nanoTime() + timeout.toNanos();
        start();
        while (!finished()) {
            step(end);
            if (System.nanoTime() - end >= 0 && !finished()) {
                throw new SpawnTimeoutException(
                        command.argv().getFirst(), timeout, errors.bytes.toString(StandardCharsets.UTF_8));
            }
            if (exitCode >= 0 && !command.untilEof()) {
                end = Math.min(end - System.nanoTime(), GRACE) + System.nanoTime();
                awaitOutputs(end);
                break;
            }
        }
        return new Spawn.Result(
                exitCode, output.bytes.toByteArray(), errors.bytes.toByteArray(), output.truncated || errors.truncated);
    }

    private boolean finished() {
        return exitCode >= 0 && ours[OUTPUT] == null && ours[ERRORS] == null;
    }

    private void awaitOutputs(long end) throws InterruptedException {
        while (!finished() && System.nanoTime() - end < 0) {
            step(end);
        }
    }

    private void start() {
        try (Pipe in = command.input().length > 0 ? Pipe.open() : Pipe.ofNothing();
                Pipe out = Pipe.open();
                Pipe err = command.mergeErrors() ? Pipe.none() : Pipe.open()) {
            int errorsEnd =
                    command.mergeErrors() ? out.write().value() : err.write().value();
            int pid = PosixSpawn.start(command, in.read().value(), out.write().value(), errorsEnd);
            process = adopt(pid);
            watch(PROCESS, process.fd(), PollSet.IN);
            if (command.input().length > 0) {
                input = ByteBuffer.wrap(command.input());
                keep(INPUT, in.takeWrite(), PollSet.OUT);
            }
            keep(OUTPUT, out.takeRead(), PollSet.IN);
            if (!command.mergeErrors()) {
                keep(ERRORS, err.takeRead(), PollSet.IN);
            }
        }
    }

    /// A child that nobody else reaps is there to be opened, dead or alive; only a lack of descriptors
    /// can stop that, and then it must not run on unseen.
    private static PidFd adopt(int pid) {
        try {
            return PidFd.open(pid);
        } catch (ErrnoException e) {
            Signals.kill(-pid, Signals.KILL);
            Kernel.call(SystemCall.WAIT4, pid, 0, 0, 0);
            throw e;
        }
    }

    private void keep(int place, Fd fd, short events) {
        ours[place] = fd;
        watch(place, fd, events);
    }

    private void watch(int place, Fd fd, short events) {
        polled.watch(place, fd.value(), events);
    }

    private void step(long end) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException(
                    "interrupted while running " + command.argv().getFirst());
        }
        polled.await(end);
        if (polled.ready(INPUT)) {
            feed();
        }
        if (polled.ready(OUTPUT)) {
            drain(OUTPUT, output);
        }
        if (polled.ready(ERRORS)) {
            drain(ERRORS, errors);
        }
        if (polled.ready(PROCESS)) {
            reap();
        }
    }

    private void feed() {
        Fd fd = ours[INPUT];
        if (fd == null) {
            return;
        }
        try {
            fd.write(input);
        } catch (ErrnoException e) {
            // It need not read what it is given.
            if (!e.is(Errno.EPIPE)) {
                throw e;
            }
            release(INPUT);
            return;
        }
        if (!input.hasRemaining()) {
            release(INPUT);
        }
    }

    private void drain(int place, Captured into) {
        Fd fd = ours[place];
        if (fd == null) {
            return;
        }
        buffer.clear();
        int count = fd.read(buffer);
        if (count == 0) {
            release(place);
        } else if (count > 0) {
            into.add(buffer.flip());
        }
    }

    private void release(int place) {
        Fd fd = ours[place];
        if (fd != null) {
            polled.ignore(place);
            ours[place] = null;
            fd.close();
        }
    }

    private void reap() {
        PidFd child = process;
        if (child == null || exitCode >= 0) {
            return;
        }
        MemorySegment status = arena.allocate(JAVA_INT);
        long reaped = Kernel.call(SystemCall.WAIT4, child.pid(), status.address(), 1, 0);
        if (reaped == 0) {
            return;
        }
        Kernel.check(reaped, "wait for", command.argv().getFirst());
        int word = status.get(JAVA_INT, 0);
        exitCode = (word & 0x7f) == 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f);
        polled.ignore(PROCESS);
    }

    /// Ends what still runs, and closes all.
    @Override
    public void close() {
        PidFd child = process;
        if (child != null && (exitCode < 0 || (command.untilEof() && !finished()))) {
            Signals.kill(-child.pid(), Signals.KILL);
        }
        for (int place = INPUT; place <= ERRORS; place++) {
            release(place);
        }
        if (child != null && exitCode < 0) {
            endChild(child);
        } else if (child != null) {
            child.close();
        }
        arena.close();
    }

    /// A killed process can hang in the kernel (a dead NFS server); then a thread waits in our place.
    private void endChild(PidFd child) {
        child.signal(Signals.KILL);
        long end = System.nanoTime() + KILL_GRACE;
        do {
            polled.await(end);
            reap();
        } while (exitCode < 0 && System.nanoTime() - end < 0);
        child.close();
        if (exitCode < 0) {
            int pid = child.pid();
            Thread.ofPlatform().name("reap-" + pid).daemon().start(() -> Kernel.call(SystemCall.WAIT4, pid, 0, 0, 0));
        }
    }
}
