package dev.gantry.runtime;

import dev.gantry.linux.Poller;
import dev.gantry.shim.LogCounters;
import dev.gantry.shim.Stdio;
import dev.gantry.shim.StdioFifos;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Container IO through FIFOs, for shims that know nothing better: the daemon reads the output, writes the log and
/// passes the output to the clients.
///
/// While the daemon is away nobody reads, and a container that writes more than a FIFO holds waits for it.
final class FifoContainerIo implements ContainerIo {

    private final StdioFifos fifos;
    private final @Nullable CriLogWriter log;
    private final FifoInput input;
    private final boolean stdinOnce;
    private final Clients clients;

    private FifoContainerIo(
            StdioFifos fifos, @Nullable CriLogWriter log, FifoInput input, boolean stdinOnce, Clients clients) {
        this.fifos = fifos;
        this.log = log;
        this.input = input;
        this.stdinOnce = stdinOnce;
        this.clients = clients;
    }

    /// Makes or reopens the FIFOs.
    @FunctionalInterface
    interface Opening {
        StdioFifos open(Poller.Input stdout, Poller.Input stderr);
    }

    /// @param log         empty when the container has no log
    /// @param stdinOnce   whether stdin ends with the first client that sends some
    /// @param closeInShim makes the shim let go of stdin; blocks
    static FifoContainerIo open(
            Optional<CriLogWriter> log, boolean stdinOnce, Opening opening, Runnable closeInShim, Executor worker) {
        CriLogWriter writer = log.orElse(null);
        Clients clients = new Clients();
        try {
            StdioFifos fifos =
                    opening.open(into(writer, clients, LogStream.STDOUT), into(writer, clients, LogStream.STDERR));
            if (fifos.stdio().stderr().isEmpty()) {
                clients.end(LogStream.STDERR);
            }
            return new FifoContainerIo(fifos, writer, new FifoInput(fifos, closeInShim, worker), stdinOnce, clients);
        } catch (RuntimeException e) {
            log.ifPresent(CriLogWriter::close);
            throw e;
        }
    }

    private static Poller.Input into(@Nullable CriLogWriter log, Clients clients, LogStream stream) {
        return new Poller.Input() {
            @Override
            public void data(ByteBuffer bytes) {
                if (log != null) {
                    log.write(stream, bytes.duplicate());
                }
                clients.data(stream, bytes);
            }

            @Override
            public void end() {
                if (log != null) {
                    log.end(stream);
                }
                clients.end(stream);
            }
        };
    }

    /// Those who are attached, and which streams they can still get something from.
    private static final class Clients {
        private final ReentrantLock lock = new ReentrantLock();
        private final List<FifoAttachment> attached = new ArrayList<>();
        private final Set<LogStream> open = EnumSet.allOf(LogStream.class);

        FifoAttachment add(Wanted wanted, Output output, FifoInput input, boolean endsInput) {
            lock.lock();
            try {
                FifoAttachment client = new FifoAttachment(wanted, output, open, input, endsInput);
                if (open.isEmpty()) {
                    client.resume();
                } else {
                    attached.add(client);
                    var _ = client.done().whenComplete((_, _) -> remove(client));
                }
                return client;
            } finally {
                lock.unlock();
            }
        }

        private void remove(FifoAttachment client) {
            lock.lock();
            try {
                attached.remove(client);
            } finally {
                lock.unlock();
            }
        }

        void data(LogStream stream, ByteBuffer bytes) {
            for (FifoAttachment client : all()) {
                client.data(stream, bytes.duplicate());
            }
        }

        void end(LogStream stream) {
            lock.lock();
            try {
                open.remove(stream);
            } finally {
                lock.unlock();
            }
            all().forEach(it -> it.end(stream));
        }

        List<FifoAttachment> all() {
            lock.lock();
            try {
                return attached.isEmpty() ? List.of() : List.copyOf(attached);
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public Stdio stdio() {
        return fifos.stdio();
    }

    @Override
    public void reopenLog() {
        if (log != null) {
            log.reopen();
        }
    }

    @Override
    public Optional<LogCounters> logCounters() {
        return Optional.ofNullable(log).map(CriLogWriter::counters);
    }

    @Override
    public Attachment attach(Wanted wanted, Output output) {
        return clients.add(wanted, output, input, stdinOnce);
    }

    @Override
    public CompletableFuture<Void> drained() {
        return fifos.drained();
    }

    @Override
    public void close() {
        fifos.delete();
        clients.all().forEach(it -> it.detach("the container's streams were closed"));
        if (log != null) {
            log.close();
        }
    }
}
