package dev.gantry.daemon;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file that nobody can open before it is released: another process holds a lease on it (`F_SETLEASE` of fcntl(2)).
///
/// The kernel keeps others waiting for `/proc/sys/fs/lease-break-time` at most, which is 45 seconds.
final class LeasedFile implements AutoCloseable {

    private static final String HOLDER = """
            open(my $file, '+<', $ARGV[0]) or die "open: $!";
            $SIG{IO} = sub { open(my $wanted, '>', $ARGV[2]) };
            fcntl($file, F_SETLEASE, F_WRLCK) or die "lease: $!";
            open(my $held, '>', $ARGV[1]);
            readline STDIN;
            """;

    private final Path wanted;
    private final Process holder;

    /// @param name of a file that is there, and is open nowhere
    LeasedFile(Path folder, String name) throws IOException {
        Path held = folder.resolve("held");
        wanted = folder.resolve("wanted");
        // By name, as a process whose arguments lead into a node's folder counts as one that the node leaves behind.
        holder = new ProcessBuilder("perl", "-MFcntl=F_SETLEASE,F_WRLCK", "-e", HOLDER, name, "held", "wanted")
                .directory(folder.toFile())
                .inheritIO()
                .redirectInput(ProcessBuilder.Redirect.PIPE)
                .start();
        await("the lease").atMost(ChildNode.PATIENCE).until(() -> Files.exists(held));
    }

    /// Whether somebody waits for it, or has.
    boolean isWanted() {
        return Files.exists(wanted);
    }

    /// Lets all open it.
    void release() throws IOException {
        holder.getOutputStream().close();
    }

    @Override
    public void close() throws IOException {
        release();
    }
}
