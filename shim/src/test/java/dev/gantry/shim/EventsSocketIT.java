package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.Poller;
import dev.gantry.linux.Spawn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Who may talk to the daemon over the events socket (CVE-2020-15257 was a shim that did not ask).
@Timeout(60)
class EventsSocketIT {

    private static final String CALL = """
            use IO::Socket::UNIX;
            my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!";
            syswrite $socket, pack("NNCC", 0, 1, 1, 0);
            my $count = sysread $socket, my $answer, 10;
            print defined $count ? $count : "reset";
            """;

    @TempDir
    private Path directory;

    @BeforeEach
    void needs() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root to become another user");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/perl")), "perl is not installed");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv is not installed");
    }

    @Test
    void onlyTheDaemonsUserIsAnswered() throws Exception {
        Path socket = directory.resolve("events").resolve("socket");
        try (Poller poller = new Poller();
                Shims _ = new Shims(directory, socket, new Deaf(), poller)) {
            assertThat(mode(socket)).isEqualTo("rw-------");
            assertThat(mode(directory.resolve("events"))).isEqualTo("rwx------");
            assertThat(call(socket, "0")).isEqualTo("10");
            assertThat(call(socket, "65534")).contains("connect: Permission denied");

            for (Path path : new Path[] {directory, directory.resolve("events"), socket}) { // had somebody opened it
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
            }
            assertThat(call(socket, "65534")).isIn("0", "reset");
        }
        assertThat(socket).doesNotExist();
    }

    private static String mode(Path path) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static String call(Path socket, String user) throws Exception {
        Spawn.Command command = Spawn.command(
                        "setpriv",
                        "--reuid=" + user,
                        "--regid=" + user,
                        "--clear-groups",
                        "perl",
                        "-e",
                        CALL,
                        socket.toString())
                .mergingErrors();
        return new String(Spawn.run(command, Duration.ofSeconds(20)).output(), UTF_8);
    }

    private static final class Deaf implements TaskEvents {

        @Override
        public void exited(String container, Optional<String> exec, int pid, Exit exit) {}

        @Override
        public void oom(String container) {}
    }
}
