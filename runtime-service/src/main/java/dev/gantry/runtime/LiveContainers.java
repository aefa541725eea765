package dev.gantry.runtime;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.linux.PidFd;
import dev.gantry.shim.Exit;
import dev.gantry.shim.Shim;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What the daemon holds for containers that run now; all of it can be made again from the store and the shims.
/// Thread-safe.
final class LiveContainers {

    /// One running container.
    static final class Live {
        final Shim shim;
        final ContainerIo io;
        /// Completed once the exit is in the store, so that whoever waits for it sees EXITED afterwards.
        final CompletableFuture<Container> ended = new CompletableFuture<>();
        /// How its process ended, as soon as the shim says so.
        final CompletableFuture<Exit> exit;
        /// A hold on its first process, which cannot come to mean another one as a pid can.
        private final Optional<PidFd> process;
        private volatile boolean outOfMemory;
        private volatile @Nullable OciProcess spec;

        Live(Shim shim, ContainerIo io, Optional<PidFd> process, CompletableFuture<Exit> exit) {
            this.shim = shim;
            this.io = io;
            this.process = process;
            this.exit = exit;
        }

        /// Signals the first process itself, which spares the shim the start of a runc; false when it has ended.
        boolean signal(int signal) {
            return process.isPresent() && process.get().signal(signal);
        }

        /// What its first process was started with; read once, since probes ask for it again and again.
        OciProcess process(Supplier<OciProcess> read) {
            OciProcess known = spec;
            if (known == null) {
                known = read.get();
                spec = known;
            }
            return known;
        }

        /// Lets go of the streams and the process.
        void close() {
            io.close();
            process.ifPresent(PidFd::close);
        }

        boolean outOfMemory() {
            return outOfMemory;
        }
    }

    private final ConcurrentHashMap<String, Live> containers = new ConcurrentHashMap<>();

    Optional<Live> find(String id) {
        return Optional.ofNullable(containers.get(id));
    }

    void put(String id, Live live) {
        containers.put(id, live);
    }

    void remove(String id) {
        containers.remove(id);
    }

    /// The kernel killed something in the container for want of memory.
    void outOfMemory(String id) {
        Live live = containers.get(id);
        if (live != null) {
            live.outOfMemory = true;
        }
    }
}
