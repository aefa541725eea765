package dev.gantry.shim;

import dev.gantry.linux.Fifo;
import dev.gantry.linux.Poller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;

/// The FIFOs through which a shim that does not write logs itself passes the streams of one process: the
/// daemon reads and writes them without ever blocking a thread.
///
/// They are made and opened before the shim is told of them. A shim holds both ends of each output FIFO open,
/// so a daemon that comes back opens the same files again and reads on; while it is away the process blocks
/// once a FIFO is full (64 KiB). Thread-safe.
public final class StdioFifos implements AutoCloseable {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,199}");

    private final Stdio stdio;
    private final List<Poller.Registration> outputs = new ArrayList<>();
    private final Optional<Poller.Output> stdin;
    private final CompletableFuture<Void> drained;

    /// Makes the FIFOs of a process and begins to read.
    ///
    /// @param directory where they lie, made with mode 0700 if it is not there
    /// @param name tells the processes of one directory apart: letters, digits, `_`, `.` and `-`
    /// @param wanted which streams the process has
    /// @param stdout takes the output, and `end` when no process holds the stream any more; with a terminal
    ///     it takes everything and `stderr` is not called
    public static StdioFifos create(
            Poller poller, Path directory, String name, Streams wanted, Poller.Input stdout, Poller.Input stderr) {
        Stdio stdio = paths(directory, name, wanted);
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            delete(stdio);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folder of FIFOs " + directory, e);
        }
        try {
            files(stdio).forEach(file -> Fifo.create(file, 0600));
            return new StdioFifos(poller, stdio, stdout, stderr);
        } catch (RuntimeException e) {
            try {
                delete(stdio);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /// Opens the FIFOs of a process that a daemon before this one made, and reads on. A stream that ended
    /// meanwhile, or whose FIFO is gone, ends at once.
    public static StdioFifos reopen(
            Poller poller, Path directory, String name, Streams wanted, Poller.Input stdout, Poller.Input stderr) {
        Stdio stdio = paths(directory, name, wanted);
        for (Path file : files(stdio)) {
            if (!Files.exists(file)) {
                Fifo.create(file, 0600);
            }
        }
        StdioFifos fifos = new StdioFifos(poller, stdio, stdout, stderr);
        // Linux tells a reader that there is no writer only if there was one since it opened the FIFO.
        for (String file : new String[] {stdio.stdout(), stdio.stderr()}) {
            if (!file.isEmpty()) {
                Fifo.openReadWrite(Path.of(file)).close();
            }
        }
        return fifos;
    }

    /// Which streams a process has besides stdout.
    ///
    /// @param terminal whether stdout and stderr are one
    public record Streams(boolean stdin, boolean terminal) {}

    private static Stdio paths(Path directory, String name, Streams wanted) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a name for FIFOs: " + name);
        }
        return new Stdio(
                wanted.stdin() ? directory.resolve(name + "-stdin").toString() : "",
                directory.resolve(name + "-stdout").toString(),
                wanted.terminal() ? "" : directory.resolve(name + "-stderr").toString(),
                wanted.terminal());
    }

    private StdioFifos(Poller poller, Stdio stdio, Poller.Input stdout, Poller.Input stderr) {
        this.stdio = stdio;
        try {
            outputs.add(poller.read(Fifo.openRead(Path.of(stdio.stdout())), stdout));
            if (!stdio.stderr().isEmpty()) {
                outputs.add(poller.read(Fifo.openRead(Path.of(stdio.stderr())), stderr));
            }
            // For reading too: a FIFO that nobody reads yet cannot be opened for writing alone.
            stdin = stdio.stdin().isEmpty()
                    ? Optional.empty()
                    : Optional.of(poller.write(Fifo.openReadWrite(Path.of(stdio.stdin()))));
        } catch (RuntimeException e) {
            outputs.forEach(Poller.Registration::close);
            throw e;
        }
        drained = CompletableFuture.allOf(
                outputs.stream().map(Poller.Registration::done).toArray(CompletableFuture<?>[]::new));
    }

    /// What the shim is to be told.
    public Stdio stdio() {
        return stdio;
    }

    /// The daemon's end of the process's stdin.
    public Optional<Poller.Output> stdin() {
        return stdin;
    }

    /// Closes the daemon's end of stdin; the process sees the end once [Shim#closeIo] was called too.
    public void closeStdin() {
        stdin.ifPresent(Poller.Output::close);
    }

    /// Reads no output until [#resume]: the process waits once a FIFO is full.
    public void pause() {
        outputs.forEach(Poller.Registration::pause);
    }

    public void resume() {
        outputs.forEach(Poller.Registration::resume);
    }

    /// Completed when all output has been read to its end and handed on, or [#close] was called. What hangs
    /// on it runs on the poll thread and must not block.
    public CompletableFuture<Void> drained() {
        return drained.copy();
    }

    /// Stops reading and writing; the FIFOs stay, so that a later daemon can reopen them.
    @Override
    public void close() {
        closeStdin();
        outputs.forEach(Poller.Registration::close);
    }

    /// Closes, and removes the FIFOs.
    public void delete() {
        close();
        try {
            delete(stdio);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove the FIFOs of " + stdio.stdout(), e);
        }
    }

    private static void delete(Stdio stdio) throws IOException {
        for (Path file : files(stdio)) {
            Files.deleteIfExists(file);
        }
    }

    private static List<Path> files(Stdio stdio) {
        return List.of(stdio.stdin(), stdio.stdout(), stdio.stderr()).stream()
                .filter(file -> !file.isEmpty())
                .map(Path::of)
                .toList();
    }
}
