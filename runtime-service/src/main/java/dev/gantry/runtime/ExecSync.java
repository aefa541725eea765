package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.shim.Exit;
import dev.gantry.shim.StdioFifos;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs a command in a container and answers with its output and exit code (CRI `ExecSync`).
final class ExecSync {

    private static final Logger log = LoggerFactory.getLogger(ExecSync.class);

    /// A container's author decides how much a command prints (CVE-2022-31030): the rest is read and dropped. Both
    /// streams, the exit code and the fields' tags fit into the 16 MiB that the kubelet takes as an answer.
    static final int MAX_OUTPUT = (16 << 20) - 64;
    /// What no healthy shim needs.
    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration FOREVER = Duration.ofDays(365);
    /// Something that the command left running may hold its output open.
    private static final Duration DRAIN = Duration.ofSeconds(2);

    private final Containers containers;
    private final ContainerParts parts;
    private final Execs execs;

    ExecSync(Containers containers, ContainerParts parts, Execs execs) {
        this.containers = containers;
        this.parts = parts;
        this.execs = execs;
    }

    /// What a command printed, together cut at [#MAX_OUTPUT], and how it ended.
    record Result(ByteString output, ByteString errors, int exitCode) {}

    /// The process is killed when the thread is interrupted.
    ///
    /// @param timeout for its start and its run; zero means no limit
    /// @throws ContainerException.TimedOut when the command was killed because it took too long
    Result run(String id, List<String> command, Duration timeout) throws InterruptedException {
        Container container = containers.get(id);
        execs.check(container, command);
        Path directory = parts.bundle(container.id()).directory();
        String name = SandboxId.random().value();
        AtomicInteger room = new AtomicInteger(MAX_OUTPUT);
        try (ExecOutput output = new ExecOutput(directory.resolve(name + ".out"), room);
                ExecOutput errors = new ExecOutput(directory.resolve(name + ".err"), room)) {
            int code = execute(container, command, new Both(output, errors), timeout);
            return new Result(output.bytes(), errors.bytes(), code);
        }
    }

    private record Both(ExecOutput output, ExecOutput errors) implements ProcessIo.Output {
        @Override
        public void data(LogStream stream, ByteBuffer bytes) {
            switch (stream) {
                case STDOUT -> output.data(bytes);
                case STDERR -> errors.data(bytes);
            }
        }

        @Override
        public void end(LogStream stream) {}
    }

    private int execute(Container container, List<String> command, Both output, Duration timeout)
            throws InterruptedException {
        long begun = System.nanoTime();
        try (ExecProcess process = execs.add(container, command, new StdioFifos.Streams(false, false));
                ProcessIo.Attachment attachment =
                        process.io().attach(new ProcessIo.Wanted(false, true, true), output)) {
            start(container, process, timeout);
            Exit ended = await(
                    container,
                    process,
                    timeout.isPositive() ? timeout.minusNanos(System.nanoTime() - begun) : FOREVER,
                    timeout);
            drain(attachment);
            return ended.status();
        }
    }

    private void start(Container container, ExecProcess process, Duration timeout) throws InterruptedException {
        boolean limited = timeout.isPositive() && timeout.compareTo(START) < 0;
        try {
            process.start(limited ? timeout : START, parts.steps());
        } catch (TimeoutException _) {
            throw timedOut(container, limited ? timeout : START);
        }
    }

    private static Exit await(Container container, ExecProcess process, Duration left, Duration timeout)
            throws InterruptedException {
        try {
            return process.exit().get(left.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            kill(container, process);
            throw timedOut(container, timeout);
        } catch (ExecutionException e) {
            throw new ContainerException.Failed(
                    "cannot learn how the command in container %s ended".formatted(container.id()), e.getCause());
        } catch (InterruptedException e) {
            kill(container, process);
            throw e;
        }
    }

    private static ContainerException.TimedOut timedOut(Container container, Duration after) {
        return new ContainerException.TimedOut("command in container %s timed out: it was killed after %d s"
                .formatted(container.id(), after.toSeconds()));
    }

    private static void kill(Container container, ExecProcess process) {
        process.kill();
        try {
            process.exit().get(ExecProcess.DEATH.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.atWarn()
                    .addKeyValue("container", container.id())
                    .setCause(e)
                    .log("a command whose time is up does not end");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void drain(ProcessIo.Attachment attachment) throws InterruptedException {
        try {
            attachment.done().get(DRAIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            log.debug("something that a command left running holds its output open");
        } catch (ExecutionException e) {
            throw new IllegalStateException("cannot read the output of a command", e.getCause());
        }
    }
}
