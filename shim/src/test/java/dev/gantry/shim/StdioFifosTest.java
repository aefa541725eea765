package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Fd;
import dev.gantry.linux.Fifo;
import dev.gantry.linux.Poller;
import dev.gantry.shim.StdioFifos.Streams;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class StdioFifosTest {

    private static final Streams ALL = new Streams(true, false);

    @TempDir
    private Path temporary;

    private Path directory;
    private Poller poller = new Poller();
    private final ShimNode.Collector out = new ShimNode.Collector();
    private final ShimNode.Collector err = new ShimNode.Collector();

    @BeforeEach
    void choose() {
        directory = temporary.resolve("io");
    }

    @AfterEach
    void close() {
        poller.close();
    }

    @Test
    void readsBothOutputsToTheirEnd() throws Exception {
        StdioFifos fifos = create(ALL);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                .isEqualTo("rwx------");
        Thread.sleep(50);
        assertThat(fifos.drained()).isNotDone(); // no writer yet is no end

        write(fifos.stdio().stdout(), "out");
        out.await("out");
        assertThat(fifos.drained()).isNotDone();
        write(fifos.stdio().stderr(), "err");

        fifos.drained().get(5, TimeUnit.SECONDS);
        assertThat(out.text()).isEqualTo("out");
        assertThat(err.text()).isEqualTo("err");
        fifos.delete();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void writesInput() throws Exception {
        StdioFifos fifos = create(ALL);
        fifos.stdin()
                .orElseThrow()
                .write(ByteBuffer.wrap("hello".getBytes(UTF_8)))
                .get(5, TimeUnit.SECONDS);

        try (Fd end = Fifo.openRead(Path.of(fifos.stdio().stdin()))) {
            ByteBuffer bytes = ByteBuffer.allocate(100);
            assertThat(end.read(bytes)).isEqualTo(5);
            fifos.closeStdin();
        }
    }

    @Test
    void aTerminalHasOneOutput() {
        StdioFifos fifos = create(new Streams(false, true));

        assertThat(fifos.stdio().stdin()).isEmpty();
        assertThat(fifos.stdio().stderr()).isEmpty();
        assertThat(fifos.stdio().terminal()).isTrue();
        assertThat(fifos.stdin()).isEmpty();
    }

    @Test
    void readsOnAfterARestart() throws Exception {
        StdioFifos before = create(ALL);
        Path stdout = Path.of(before.stdio().stdout());
        StdioFifos after;
        try (Fd shim = Fifo.openReadWrite(stdout)) { // as a shim holds it
            shim.write("one ".getBytes(UTF_8), 0, 4);
            out.await("one");
            restart();
            shim.write("two ".getBytes(UTF_8), 0, 4);

            after = StdioFifos.reopen(poller, directory, "c", ALL, out, err);
            assertThat(after.stdio()).isEqualTo(before.stdio());
            assertThat(out.await("two")).isEqualTo("one two ");
            assertThat(after.drained()).isNotDone();
        }
        after.drained().get(5, TimeUnit.SECONDS);
    }

    @Test
    void whatEndedOrVanishedMeanwhileEndsAtOnce() throws Exception {
        StdioFifos before = create(ALL);
        Files.delete(Path.of(before.stdio().stderr()));
        restart();

        StdioFifos.reopen(poller, directory, "c", ALL, out, err).drained().get(5, TimeUnit.SECONDS);
    }

    @Test
    void refusesNamesThatLeaveTheFolder() {
        for (String name : new String[] {"../x", "a/b", "", ".", "..", "-x", "a\nb", "x".repeat(201)}) {
            assertThatThrownBy(() -> StdioFifos.create(poller, directory, name, ALL, out, err))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private StdioFifos create(Streams wanted) {
        return StdioFifos.create(poller, directory, "c", wanted, out, err);
    }

    private void restart() {
        poller.close();
        poller = new Poller();
    }

    private static void write(String fifo, String text) {
        try (Fd end = Fifo.openReadWrite(Path.of(fifo))) {
            end.write(text.getBytes(UTF_8), 0, text.length());
        }
    }
}
