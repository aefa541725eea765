package dev.gantry.runtime;

import dev.gantry.shim.ShimException;
import dev.gantry.shim.ShimStreams;
import dev.gantry.shim.Stdio;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/// Streams that our own shim holds: it reads the output, writes the log and serves the clients, each over a connection
/// of its own. So nothing stops while the daemon is away, and nothing is to be opened again when it is back.
class ShimProcessIo implements ProcessIo {

    private final ShimStreams streams;
    private final String container;
    private final Optional<String> exec;
    private final Stdio stdio;
    private final boolean inputEndsWithClient;
    private final Set<ShimAttachment> attached = ConcurrentHashMap.newKeySet();

    /// @param exec empty for the container's first process
    /// @param inputEndsWithClient whether the process's stdin ends with the first client that feeds it
    ShimProcessIo(
            ShimStreams streams, String container, Optional<String> exec, Stdio stdio, boolean inputEndsWithClient) {
        this.streams = streams;
        this.container = container;
        this.exec = exec;
        this.stdio = stdio;
        this.inputEndsWithClient = inputEndsWithClient;
    }

    @Override
    public final Stdio stdio() {
        return stdio;
    }

    @Override
    public final Attachment attach(Wanted wanted, Output output) {
        ShimAttachment client = new ShimAttachment(wanted, output, stdio.terminal(), inputEndsWithClient);
        client.use(streams.attach(container, exec, wanted.stdin(), client));
        attached.add(client);
        var _ = client.done().whenComplete((_, _) -> attached.remove(client));
        return client;
    }

    @Override
    public final CompletableFuture<Void> drained() {
        return streams.drained(container, exec)
                .<Void>thenApply(_ -> null)
                .exceptionallyCompose(failure -> failure.getCause() instanceof ShimException.NotFound
                        ? CompletableFuture.completedFuture(null) // deleted: no more will come
                        : CompletableFuture.failedFuture(failure));
    }

    @Override
    public void close() {
        attached.forEach(it -> it.detach("the streams were closed"));
    }
}
