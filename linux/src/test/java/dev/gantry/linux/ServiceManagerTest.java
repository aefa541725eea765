package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceManagerTest {

    /// Java has no datagram sockets of this family, so Perl, which every Debian has, is the service manager.
    private static final String RECEIVER = """
            use Socket;
            my $name = shift;
            $name =~ s/^@/\\0/;
            socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die "cannot open a socket: $!";
            bind($s, sockaddr_un($name)) or die "cannot bind: $!";
            $| = 1;
            print "bound\\n";
            alarm 20;
            recv($s, my $message, 100, 0);
            print "$message\\n";
            """;

    @TempDir
    private Path directory;

    @Test
    void tellsAServiceManagerAtAPath() throws IOException {
        assertThat(received(directory.resolve("notify").toString())).isEqualTo("READY=1");
    }

    @Test
    void tellsAServiceManagerAtAnAbstractName() throws IOException {
        assertThat(received("@gantry-test-" + ProcessHandle.current().pid())).isEqualTo("READY=1");
    }

    @Test
    void saysThatNobodyListens() {
        Path nobody = directory.resolve("nobody");

        assertThatThrownBy(() -> ServiceManager.tell(nobody.toString(), "READY=1"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("cannot tell the service manager at " + nobody);
        assertThatThrownBy(() -> ServiceManager.tell("relative", "READY=1"))
                .hasMessage("not the address of a service manager: relative");
    }

    private static String received(String socket) throws IOException {
        Process receiver = new ProcessBuilder("perl", "-e", RECEIVER, socket)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = receiver.inputReader(StandardCharsets.UTF_8)) {
            assertThat(lines.readLine()).isEqualTo("bound");
            ServiceManager.tell(socket, "READY=1");
            return lines.readLine();
        } finally {
            receiver.destroyForcibly();
        }
    }
}
