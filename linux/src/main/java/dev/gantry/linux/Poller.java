package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread, `fifo-poll`, that reads and writes all non-blocking descriptors given to it.
///
/// Each ready descriptor gets one buffer of 64 KiB per round, so that a chatty one does not starve the
/// others; nothing that runs on the thread may block for long. Closing it closes all descriptors.
public final class Poller implements AutoCloseable {

    /// What is done with the bytes of one descriptor, on the poll thread.
    public interface Input {

        /// The bytes are valid during the call only.
        void data(ByteBuffer bytes);

        /// No more will come: the writers have closed, or reading failed. Called once, and not when the
        /// registration was closed.
        void end();
    }

    /// A descriptor that is being read.
    public interface Registration extends AutoCloseable {

        /// Ends the reading; soon after, the descriptor is closed. A call of the input that runs on the
        /// poll thread at this moment is finished first.
        @Override
        void close();

        /// Nothing is read until [#resume], so that the writer waits once its pipe is full; what is being handed
        /// over at this moment is the last. The end is not seen either.
        void pause();

        /// Reads again after [#pause]; does nothing otherwise.
        void resume();

        /// Done when the end was seen or the registration was closed, the descriptor being closed.
        CompletableFuture<Void> done();
    }

    /// A descriptor that is being written to.
    public interface Output extends AutoCloseable {

        /// Queues the bytes, copied, unless they do not fit beside those that wait already (64 KiB in
        /// all): then, or when it is closed, the answer is false and nothing was taken.
        boolean offer(ByteBuffer bytes);

        /// Queues all the bytes, without a bound: done when they have been written, failed when they
        /// could not be. Wait for it before the next one. The buffer is not copied: it is the caller's
        /// again when the answer is done. Cancelling takes back what is not written yet, and frees the
        /// buffer at once.
        CompletableFuture<Void> write(ByteBuffer bytes);

        /// Closes the descriptor; what was not yet written fails.
        @Override
        void close();
    }

    static final int BUFFER = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(Poller.class);
    private static final int EVENTS = 64;
    private static final int ADD = 1;
    private static final int DELETE = 2;
    private static final int MODIFY = 3;
    private static final long WAKE = 0;

    private final Map<Long, PolledFd> polled = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong(WAKE);
    private final Fd epoll;
    private final Fd wake;
    private final Thread thread;
    // Guards `ended`, so that no wake-up is written to a descriptor that is another's by then.
    private final ReentrantLock wakeLock = new ReentrantLock();
    private boolean ended;
    private volatile boolean closed;

    public Poller() {
        epoll = new Fd(
                (int) Kernel.check(Kernel.call(SystemCall.EPOLL_CREATE1, Kernel.O_CLOEXEC), "make", "epoll"), "epoll");
        int flags = Kernel.O_CLOEXEC | Kernel.O_NONBLOCK;
        wake = new Fd((int) Kernel.check(Kernel.call(SystemCall.EVENTFD2, 0, flags), "make", "eventfd"), "eventfd");
        control(ADD, wake, PollSet.IN, WAKE);
        thread = Thread.ofPlatform().name("fifo-poll").daemon().start(this::run);
    }

    /// Reads until the end. Owns the descriptor from now on, also when it throws.
    public Registration read(Fd fd, Input input) {
        PolledInput registration = new PolledInput(this, fd, ids.incrementAndGet(), input);
        add(registration, PollSet.IN);
        return registration;
    }

    /// Writes what it is given. Owns the descriptor from now on, also when it throws.
    public Output write(Fd fd) {
        PolledOutput output = new PolledOutput(this, fd, ids.incrementAndGet());
        add(output, (short) 0);
        return output;
    }

    /// Closes every descriptor and waits for the thread. Must not be called on the poll thread.
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        wakeUp();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void add(PolledFd entry, short events) {
        polled.put(entry.id, entry);
        try {
            control(ADD, entry.fd, events, entry.id);
        } catch (RuntimeException failure) {
            polled.remove(entry.id);
            entry.fd.close();
            throw failure;
        }
        if (closed) {
            entry.close();
        }
    }

    /// What a descriptor waits for; from any thread.
    void expect(PolledFd entry, boolean readable, boolean writable) {
        control(MODIFY, entry.fd, (short) ((readable ? PollSet.IN : 0) | (writable ? PollSet.OUT : 0)), entry.id);
    }

    /// Makes the thread look for closed entries.
    void wakeUp() {
        wakeLock.lock();
        try {
            if (!ended) {
                wake.write(ByteBuffer.allocate(8).putLong(0, Long.reverseBytes(1)));
            }
        } finally {
            wakeLock.unlock();
        }
    }

    boolean isPollThread() {
        return Thread.currentThread().equals(thread);
    }

    /// Takes a descriptor out of the set or puts it back. One whose writers have gone is reported as long as it is in
    /// it, whatever it waits for.
    void watch(PolledFd entry, boolean watched) {
        control(watched ? ADD : DELETE, entry.fd, PollSet.IN, entry.id);
    }

    /// On the poll thread: takes an entry out and closes its descriptor.
    void release(PolledFd entry) {
        if (polled.remove(entry.id) != null) {
            if (entry.releasing()) {
                control(DELETE, entry.fd, (short) 0, entry.id);
            }
            entry.fd.close();
            entry.released();
        }
    }

    private void control(int operation, Fd fd, short events, long id) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(Architecture.EPOLL_EVENT_SIZE, 8);
            event.set(JAVA_INT, 0, events);
            event.set(JAVA_LONG.withByteAlignment(4), Architecture.EPOLL_EVENT_DATA, id);
            Kernel.check(
                    Kernel.call(SystemCall.EPOLL_CTL, epoll.value(), operation, fd.value(), event.address()),
                    "poll",
                    fd);
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment events = arena.allocate((long) EVENTS * Architecture.EPOLL_EVENT_SIZE, 8);
            ByteBuffer buffer = arena.allocate(BUFFER).asByteBuffer();
            while (!closed) {
                long count = Kernel.call(SystemCall.EPOLL_PWAIT, epoll.value(), events.address(), EVENTS, -1, 0, 8);
                if (!Kernel.failed(count, Errno.EINTR)) {
                    round(events, (int) Kernel.check(count, "wait for", epoll), buffer);
                }
            }
        } catch (RuntimeException failure) {
            log.atError().setCause(failure).log("the poll thread ends");
        } finally {
            closed = true;
            polled.values().forEach(this::release);
            epoll.close();
            closeWake();
        }
    }

    private void closeWake() {
        wakeLock.lock();
        try {
            ended = true;
            wake.close();
        } finally {
            wakeLock.unlock();
        }
    }

    private void round(MemorySegment events, int count, ByteBuffer buffer) {
        for (int i = 0; i < count; i++) {
            long at = (long) i * Architecture.EPOLL_EVENT_SIZE + Architecture.EPOLL_EVENT_DATA;
            long id = events.get(JAVA_LONG.withByteAlignment(4), at);
            if (id == WAKE) {
                wake.read(buffer.clear());
                polled.values().stream().filter(PolledFd::isClosed).forEach(this::release);
                continue;
            }
            PolledFd entry = polled.get(id);
            if (entry != null && !entry.isClosed()) {
                serve(entry, buffer);
            }
        }
    }

    /// A failure in one entry's hands must not end the thread that serves the others.
    private void serve(PolledFd entry, ByteBuffer buffer) {
        try {
            entry.ready(buffer);
        } catch (RuntimeException failure) {
            log.atWarn().setCause(failure).addKeyValue("descriptor", entry.fd).log("polling stopped");
            entry.failed(failure);
            release(entry);
        }
    }
}
