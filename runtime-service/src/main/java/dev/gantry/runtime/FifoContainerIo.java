package dev.gantry.runtime;

import dev.gantry.linux.Poller;
import dev.gantry.shim.Stdio;
import dev.gantry.shim.StdioFifos;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Container IO through FIFOs, for shims that know nothing better: the daemon reads the output and writes the log.
///
/// While the daemon is away nobody reads, and a container that writes more than a FIFO holds waits for it.
final class FifoContainerIo implements ContainerIo {

    private final StdioFifos fifos;
    private final @Nullable CriLogWriter log;

    private FifoContainerIo(StdioFifos fifos, @Nullable CriLogWriter log) {
        this.fifos = fifos;
        this.log = log;
    }

    /// Makes or reopens the FIFOs.
    @FunctionalInterface
    interface Opening {
        StdioFifos open(Poller.Input stdout, Poller.Input stderr);
    }

    /// @param log empty when the container has no log; its output is then read and dropped
    static FifoContainerIo open(Optional<CriLogWriter> log, Opening opening) {
        CriLogWriter writer = log.orElse(null);
        try {
            return new FifoContainerIo(
                    opening.open(into(writer, LogStream.STDOUT), into(writer, LogStream.STDERR)), writer);
        } catch (RuntimeException e) {
            log.ifPresent(CriLogWriter::close);
            throw e;
        }
    }

    private static Poller.Input into(@Nullable CriLogWriter log, LogStream stream) {
        return new Poller.Input() {
            @Override
            public void data(ByteBuffer bytes) {
                if (log != null) {
                    log.write(stream, bytes);
                }
            }

            @Override
            public void end() {
                if (log != null) {
                    log.end(stream);
                }
            }
        };
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
    public CompletableFuture<Void> drained() {
        return fifos.drained();
    }

    @Override
    public void close() {
        fifos.delete();
        if (log != null) {
            log.close();
        }
    }
}
