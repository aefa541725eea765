package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.gantry.cri.containerd.task.v3.CloseIORequest;
import dev.gantry.cri.containerd.task.v3.ConnectRequest;
import dev.gantry.cri.containerd.task.v3.ConnectResponse;
import dev.gantry.cri.containerd.task.v3.CreateTaskRequest;
import dev.gantry.cri.containerd.task.v3.CreateTaskResponse;
import dev.gantry.cri.containerd.task.v3.DeleteRequest;
import dev.gantry.cri.containerd.task.v3.DeleteResponse;
import dev.gantry.cri.containerd.task.v3.ExecProcessRequest;
import dev.gantry.cri.containerd.task.v3.KillRequest;
import dev.gantry.cri.containerd.task.v3.PauseRequest;
import dev.gantry.cri.containerd.task.v3.PidsRequest;
import dev.gantry.cri.containerd.task.v3.PidsResponse;
import dev.gantry.cri.containerd.task.v3.ResizePtyRequest;
import dev.gantry.cri.containerd.task.v3.ResumeRequest;
import dev.gantry.cri.containerd.task.v3.ShutdownRequest;
import dev.gantry.cri.containerd.task.v3.StartRequest;
import dev.gantry.cri.containerd.task.v3.StartResponse;
import dev.gantry.cri.containerd.task.v3.StateRequest;
import dev.gantry.cri.containerd.task.v3.StateResponse;
import dev.gantry.cri.containerd.task.v3.StatsRequest;
import dev.gantry.cri.containerd.task.v3.StatsResponse;
import dev.gantry.cri.containerd.task.v3.UpdateTaskRequest;
import dev.gantry.cri.containerd.task.v3.WaitRequest;
import dev.gantry.cri.containerd.task.v3.WaitResponse;
import dev.gantry.cri.containerd.v1.types.ProcessInfo;
import dev.gantry.linux.Mount;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// A running shim, and the containers ("tasks") in it: the task service of the [Runtime v2
/// protocol](https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md).
///
/// The containers of a pod share one object. Methods block until the shim has answered, so they belong on
/// platform threads; each has a time limit that a healthy shim never reaches. An empty `exec` means the
/// container's first process. All methods throw [ShimException]: `NotFound` for an unknown container or
/// process, `Unavailable` when the shim is gone or the calling thread is interrupted (its flag is then set),
/// `Rejected` with runc's words when runc refuses. Thread-safe.
public final class Shim {

    private static final String TYPES = "types.containerd.io/opencontainers/runtime-spec/1/";

    /// runc starts processes, mounts and waits for cgroups here.
    private static final Duration WORK = Duration.ofMinutes(2);

    /// Delete waits up to ten seconds for output to drain.
    private static final Duration CONTROL = Duration.ofSeconds(30);

    /// How long a killed process may take to be gone.
    private static final Duration DEATH = Duration.ofSeconds(10);

    private static final int SIGKILL = 9;

    private static final Duration SHUTDOWN = Duration.ofSeconds(3);

    private final Bootstrap bootstrap;
    private final ShimCalls calls;
    private final Optional<ShimStreams> streams;
    private final int pid;
    private final String first;

    private Shim(Bootstrap bootstrap, ShimCalls calls, Optional<ShimStreams> streams, int pid, String first) {
        this.bootstrap = bootstrap;
        this.calls = calls;
        this.streams = streams;
        this.pid = pid;
        this.first = first;
    }

    /// Asks the shim at the other end who it is and what it can. One that claims version 3 but does not know it is
    /// spoken to in version 2: the messages are the same, only the service's name differs.
    ///
    /// @param streams the loop for clients that attach to processes
    static Shim connect(
            TtrpcClient client, Bootstrap bootstrap, String id, Duration within, Supplier<TtrpcLoop> streams) {
        String what = "connect to the shim of " + id;
        // Both questions are under way at the same time.
        CompletableFuture<Boolean> servesStreams =
                new ShimCalls(client, ShimStreams.SERVICE).isServed(ShimStreams.PROBE, within);
        ConnectRequest request = ConnectRequest.newBuilder().setId(id).build();
        int version = bootstrap.version();
        while (true) {
            ShimCalls calls = new ShimCalls(client, service(version));
            try {
                ConnectResponse answer = calls.call(what, "Connect", request, ConnectResponse.parser(), within);
                Optional<ShimStreams> own = ShimCalls.await("cannot " + what, servesStreams, within)
                        ? Optional.of(new ShimStreams(client, bootstrap.socket(), streams))
                        : Optional.empty();
                return new Shim(bootstrap, calls, own, answer.getShimPid(), id);
            } catch (ShimException.Rejected e) {
                if (e.code() != StatusCode.UNIMPLEMENTED || version == 2) {
                    throw e;
                }
                version = 2;
            }
        }
    }

    private static String service(int version) {
        return "containerd.task.v" + version + ".Task";
    }

    Bootstrap bootstrap() {
        return bootstrap;
    }

    boolean isClosed() {
        return calls.client().closed().isDone();
    }

    /// Whether this connection was made for that container.
    boolean isFirst(String id) {
        return first.equals(id);
    }

    /// Drops the connection; shim and containers live on.
    void disconnect() {
        calls.client().close();
    }

    /// What the shim does for streams beyond the protocol; only our own has it.
    public Optional<ShimStreams> streams() {
        return streams;
    }

    /// The shim's own process id.
    public int shimPid() {
        return pid;
    }

    /// Completed when the connection has ended: the shim has shut down, has died, or [Shims#close] was
    /// called. What hangs on it runs on the thread that serves all shims and must not block.
    public CompletableFuture<Void> closed() {
        return calls.client().closed().copy();
    }

    /// Makes a container, whose first process then waits to be started.
    ///
    /// @param rootfs what the shim mounts on the bundle's `rootfs`; their targets are relative to it
    /// @return the process id of the container's first process
    public int create(String id, Bundle bundle, List<Mount> rootfs, Stdio io, ShimOptions options) {
        return create(id, bundle, rootfs, io, options, WORK);
    }

    int create(String id, Bundle bundle, List<Mount> rootfs, Stdio io, ShimOptions options, Duration within) {
        CreateTaskRequest request = CreateTaskRequest.newBuilder()
                .setId(id)
                .setBundle(bundle.directory().toString())
                .addAllRootfs(rootfs.stream().map(Shim::message).toList())
                .setTerminal(io.terminal())
                .setStdin(io.stdin())
                .setStdout(io.stdout())
                .setStderr(io.stderr())
                .setOptions(options.toAny())
                .build();
        return call("create container " + id, "Create", request, CreateTaskResponse.parser(), within)
                .getPid();
    }

    private static dev.gantry.cri.containerd.types.Mount message(Mount mount) {
        return dev.gantry.cri.containerd.types.Mount.newBuilder()
                .setType(mount.type())
                .setSource(mount.source())
                .setTarget(mount.target().toString())
                .addAllOptions(mount.options())
                .build();
    }

    /// Runs the program of a created container.
    ///
    /// @return its process id
    public int start(String id) {
        return start("start container " + id, id, "");
    }

    /// Runs the program of an added exec. That the program is missing is told here.
    ///
    /// @return its process id
    public int startExec(String id, String exec) {
        return start(starting(id, exec), id, exec);
    }

    /// As [#startExec], without a thread and without a limit.
    ///
    /// @return completed on the thread that serves all shims: what hangs on it must not block. Cancelling it stops
    ///     nothing. Fails with a [ShimException].
    public CompletableFuture<Integer> beginExec(String id, String exec) {
        return calls.begin(
                starting(id, exec), "Start", startRequest(id, exec), StartResponse.parser(), StartResponse::getPid);
    }

    private int start(String what, String id, String exec) {
        return call(what, "Start", startRequest(id, exec), StartResponse.parser(), WORK)
                .getPid();
    }

    private static String starting(String id, String exec) {
        return "start exec %s in container %s".formatted(exec, id);
    }

    private static StartRequest startRequest(String id, String exec) {
        return StartRequest.newBuilder().setId(id).setExecId(exec).build();
    }

    /// Adds a process to a running container; [#startExec] runs it.
    ///
    /// @param processJson the `process` object of the OCI runtime specification
    public void exec(String id, String exec, byte[] processJson, Stdio io) {
        ExecProcessRequest request = ExecProcessRequest.newBuilder()
                .setId(id)
                .setExecId(exec)
                .setTerminal(io.terminal())
                .setStdin(io.stdin())
                .setStdout(io.stdout())
                .setStderr(io.stderr())
                .setSpec(json("Process", processJson))
                .build();
        order("add exec %s to container %s".formatted(exec, id), "Exec", request, CONTROL);
    }

    private static Any json(String type, byte[] document) {
        return Any.newBuilder()
                .setTypeUrl(TYPES + type)
                .setValue(ByteString.copyFrom(document))
                .build();
    }

    /// Waits, without a thread and without a limit, for the end of a process. Call it before the start, so
    /// that no exit is missed; after the end and before [#delete] it answers at once.
    ///
    /// @return completed on the thread that serves all shims: what hangs on it must not block. Cancelling it
    ///     makes the shim's answer go nowhere. Fails with a [ShimException].
    public CompletableFuture<Exit> wait(String id, Optional<String> exec) {
        WaitRequest request =
                WaitRequest.newBuilder().setId(id).setExecId(exec.orElse("")).build();
        return calls.begin(
                "wait for " + name(id, exec),
                "Wait",
                request,
                WaitResponse.parser(),
                answer -> Exit.of(answer.getExitStatus(), answer.getExitedAt()));
    }

    /// Removes an ended process; with the container's first process the container.
    public Exit delete(String id, Optional<String> exec) {
        DeleteRequest request =
                DeleteRequest.newBuilder().setId(id).setExecId(exec.orElse("")).build();
        DeleteResponse answer = call("delete " + name(id, exec), "Delete", request, DeleteResponse.parser(), CONTROL);
        return Exit.of(answer.getExitStatus(), answer.getExitedAt());
    }

    /// Sends a signal. A process that has ended is `NotFound`.
    ///
    /// @param all whether to send it to all processes of the container
    public void kill(String id, Optional<String> exec, int signal, boolean all) {
        KillRequest request = KillRequest.newBuilder()
                .setId(id)
                .setExecId(exec.orElse(""))
                .setSignal(signal)
                .setAll(all)
                .build();
        order("send signal %d to %s".formatted(signal, name(id, exec)), "Kill", request, CONTROL);
    }

    /// What a process does at present.
    public TaskState state(String id, Optional<String> exec) {
        return state(id, exec, CONTROL);
    }

    TaskState state(String id, Optional<String> exec, Duration within) {
        StateRequest request =
                StateRequest.newBuilder().setId(id).setExecId(exec.orElse("")).build();
        StateResponse answer =
                call("ask for the state of " + name(id, exec), "State", request, StateResponse.parser(), within);
        TaskStatus status = TaskStatus.of(answer.getStatus());
        Optional<Exit> exit = status == TaskStatus.STOPPED
                ? Optional.of(Exit.of(answer.getExitStatus(), answer.getExitedAt()))
                : Optional.empty();
        Stdio io = new Stdio(
                answer.getStdin(),
                answer.getStdout(),
                answer.getTerminal() ? "" : answer.getStderr(),
                answer.getTerminal());
        return new TaskState(status, answer.getPid(), io, exit);
    }

    /// Tells a terminal its size in characters.
    public void resizePty(String id, Optional<String> exec, int width, int height) {
        ResizePtyRequest request = ResizePtyRequest.newBuilder()
                .setId(id)
                .setExecId(exec.orElse(""))
                .setWidth(width)
                .setHeight(height)
                .build();
        order("resize the terminal of " + name(id, exec), "ResizePty", request, CONTROL);
    }

    /// Makes the shim let go of its end of the stdin FIFO: the process sees the end of its input when the
    /// daemon's end is closed too.
    public void closeIo(String id, Optional<String> exec) {
        CloseIORequest request = CloseIORequest.newBuilder()
                .setId(id)
                .setExecId(exec.orElse(""))
                .setStdin(true)
                .build();
        order("close the stdin of " + name(id, exec), "CloseIO", request, CONTROL);
    }

    /// Changes the limits of a container.
    ///
    /// @param resourcesJson the `linux.resources` object of the OCI runtime specification
    public void update(String id, byte[] resourcesJson) {
        UpdateTaskRequest request = UpdateTaskRequest.newBuilder()
                .setId(id)
                .setResources(json("LinuxResources", resourcesJson))
                .build();
        order("update the resources of container " + id, "Update", request, CONTROL);
    }

    /// The container's use of resources: `io.containerd.cgroups.v1.Metrics` or `v2.Metrics` from shims that
    /// drive runc.
    public Any stats(String id) {
        StatsRequest request = StatsRequest.newBuilder().setId(id).build();
        return call("read the stats of container " + id, "Stats", request, StatsResponse.parser(), CONTROL)
                .getStats();
    }

    /// All processes of the container. The shim runs `runc ps` for it: the cgroup tells the same for less.
    public List<Integer> pids(String id) {
        PidsRequest request = PidsRequest.newBuilder().setId(id).build();
        PidsResponse answer =
                call("list the processes of container " + id, "Pids", request, PidsResponse.parser(), CONTROL);
        return answer.getProcessesList().stream().map(ProcessInfo::getPid).toList();
    }

    /// Freezes a container.
    public void pause(String id) {
        order(
                "pause container " + id,
                "Pause",
                PauseRequest.newBuilder().setId(id).build(),
                CONTROL);
    }

    /// Thaws a container.
    public void resume(String id) {
        order(
                "resume container " + id,
                "Resume",
                ResumeRequest.newBuilder().setId(id).build(),
                CONTROL);
    }

    /// Ends the shim if it holds no container any more, else does nothing. A shim that is gone is no error.
    public void shutdown(String id) {
        ShutdownRequest request = ShutdownRequest.newBuilder().setId(id).build();
        try {
            order("shut down the shim of container " + id, "Shutdown", request, SHUTDOWN);
        } catch (ShimException.Unavailable e) {
            if (Thread.currentThread().isInterrupted()) {
                throw e;
            } // else it was so quick to end that the answer was lost
        }
    }

    /// Kills and removes a container in whatever state it is; empty if the shim does not know it.
    Optional<Exit> end(String id) {
        try {
            kill(id, Optional.empty(), SIGKILL, true);
        } catch (ShimException.NotFound _) {
            // unknown, or ended but still to be removed
        }
        try {
            WaitRequest request = WaitRequest.newBuilder().setId(id).build();
            var _ = call("wait for container " + id, "Wait", request, WaitResponse.parser(), DEATH);
            return Optional.of(delete(id, Optional.empty()));
        } catch (ShimException.NotFound _) {
            return Optional.empty();
        }
    }

    private void order(String what, String method, MessageLite request, Duration within) {
        var _ = call(what, method, request, Empty.parser(), within);
    }

    private <T> T call(String what, String method, MessageLite request, Parser<T> parser, Duration within) {
        return calls.call(what, method, request, parser, within);
    }

    static String name(String id, Optional<String> exec) {
        return exec.map(e -> "exec %s in container %s".formatted(e, id)).orElse("container " + id);
    }
}
