package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.gantry.cri.gantry.shim.v1.AttachRequest;
import dev.gantry.cri.gantry.shim.v1.CountersRequest;
import dev.gantry.cri.gantry.shim.v1.DrainRequest;
import dev.gantry.cri.gantry.shim.v1.LogCounters;
import dev.gantry.cri.gantry.shim.v1.ReopenRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// What our own shim does for the streams of processes beyond the task service: it writes the logs, and serves any
/// number of attached clients.
///
/// As with [Shim], methods that return no future block, an empty `exec` means the container's first process, and
/// failures are [ShimException]s. Thread-safe.
public final class ShimStreams {

    static final String SERVICE = "gantry.shim.v1.Streams";

    /// Asks for nothing when it is sent without an id, and so tells whether there is such a service.
    static final String PROBE = "Counters";

    private static final Duration CONTROL = Duration.ofSeconds(30);
    private static final String UNRESERVED = "/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    private static final String ATTACH = "attach://";

    private final ShimCalls calls;
    private final Path socket;
    private final Supplier<TtrpcLoop> loop;

    /// @param loop serves the connections of attached clients, apart from those that carry calls
    ShimStreams(TtrpcClient client, Path socket, Supplier<TtrpcLoop> loop) {
        this.calls = new ShimCalls(client, SERVICE);
        this.socket = socket;
        this.loop = loop;
    }

    /// For a process whose output goes to a log file of the form that CRI demands, and to attached clients.
    ///
    /// @param stdin     whether it has one, fed by clients
    /// @param stdinOnce whether that ends when the first client that feeds it leaves
    /// @param maxLine   in bytes; longer lines are split
    public static Stdio logged(Path log, int maxLine, boolean stdin, boolean stdinOnce, boolean terminal) {
        String uri = "cri-log://%s?max_line=%d".formatted(encoded(log), maxLine);
        return new Stdio(input(stdin, stdinOnce), uri, terminal ? "" : uri, terminal);
    }

    /// For a process whose output goes to attached clients only; while there is none it is dropped.
    public static Stdio attached(boolean stdin, boolean stdinOnce, boolean terminal) {
        return new Stdio(input(stdin, stdinOnce), ATTACH, terminal ? "" : ATTACH, terminal);
    }

    private static String input(boolean stdin, boolean once) {
        return stdin ? once ? ATTACH + "?once" : ATTACH : "";
    }

    /// Whether a process was made with streams of this kind, not with FIFOs.
    public static boolean serves(Stdio stdio) {
        return stdio.stdout().startsWith(ATTACH) || stdio.stdout().startsWith("cri-log://");
    }

    private static String encoded(Path path) {
        StringBuilder text = new StringBuilder();
        for (byte b : path.toString().getBytes(StandardCharsets.UTF_8)) {
            if (UNRESERVED.indexOf(b) >= 0) {
                text.append((char) b);
            } else {
                text.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return text.toString();
    }

    /// Goes on in a new log file of the same name, which exists when this returns.
    public void reopenLog(String id) {
        var _ = calls.call(
                "reopen the log of container " + id,
                "Reopen",
                ReopenRequest.newBuilder().setId(id).build(),
                Empty.parser(),
                CONTROL);
    }

    /// How the writing of a container's log goes.
    public dev.gantry.shim.LogCounters logCounters(String id) {
        LogCounters counters = calls.call(
                "ask for the log counters of container " + id,
                "Counters",
                CountersRequest.newBuilder().setId(id).build(),
                LogCounters.parser(),
                CONTROL);
        return new dev.gantry.shim.LogCounters(
                counters.getBytes(),
                counters.getLines(),
                counters.getLostBytes(),
                Duration.ofNanos(counters.getLongestStallNanos()));
    }

    /// Waits, without a thread and without a limit, until all output of a process was read to its end and written;
    /// that may be later than its exit. Completed on the thread that serves all shims.
    public CompletableFuture<?> drained(String id, Optional<String> exec) {
        DrainRequest request =
                DrainRequest.newBuilder().setId(id).setExecId(exec.orElse("")).build();
        return calls.begin("wait for the output of " + Shim.name(id, exec), "Drain", request, Empty.parser(), it -> it);
    }

    /// Connects a client to the streams of a process, which may be not started yet.
    ///
    /// @param stdin whether it will send input
    public AttachedStreams attach(String id, Optional<String> exec, boolean stdin, AttachedStreams.Sink sink) {
        String attempt = "cannot attach to " + Shim.name(id, exec);
        ByteString request = AttachRequest.newBuilder()
                .setId(id)
                .setExecId(exec.orElse(""))
                .setStdin(stdin)
                .build()
                .toByteString();
        try {
            return AttachedStreams.open(attempt, loop.get(), socket, request, sink, CONTROL);
        } catch (IOException e) {
            throw ShimCalls.unavailable(attempt, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ShimCalls.unavailable(attempt, e);
        }
    }
}
