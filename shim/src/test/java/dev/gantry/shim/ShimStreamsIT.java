package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Json;
import dev.gantry.shim.ShimNode.Container;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What our own shim does beyond the protocol: it writes the logs itself and serves attached clients.
@Timeout(120)
class ShimStreamsIT {

    private static final Optional<String> INIT = Optional.empty();
    private static final int SECONDS = 20;

    private ShimNode node;
    private Path log;

    Path binary() {
        return GantryShimIT.built();
    }

    @BeforeEach
    void open() throws IOException {
        node = new ShimNode(binary());
        log = node.directory().resolve("100% of the log");
    }

    @AfterEach
    void close() throws Exception {
        if (node != null) {
            node.end();
        }
    }

    @Test
    void writesTheLogOfAContainer() throws Exception {
        Container container = container("/bin/sh", "-c", "echo out; echo err >&2; echo -n rest");
        container.create(ShimStreams.logged(log, 16384, false, false, false));
        container.start();

        assertThat(container.await().status()).isZero();
        streams(container).drained("a", INIT).get(SECONDS, TimeUnit.SECONDS);

        assertThat(Files.readAllLines(log))
                .hasSize(3)
                .allMatch(line ->
                        line.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z std(out|err) [FP] .*"))
                .anyMatch(line -> line.endsWith(" stdout F out"))
                .anyMatch(line -> line.endsWith(" stderr F err"))
                .anyMatch(line -> line.endsWith(" stdout P rest"));
        LogCounters counters = streams(container).logCounters("a");
        assertThat(counters.bytes()).isEqualTo(Files.size(log));
        assertThat(counters.lines()).isEqualTo(3);
        assertThat(counters.lostBytes()).isZero();
        assertThat(counters.longestStall()).isPositive();
        assertThat(ShimStreams.serves(container.shim.state("a", INIT).stdio())).isTrue();
    }

    @Test
    void splitsLongLines() throws Exception {
        Container container = container("/bin/sh", "-c", "echo 0123456789abcdef");
        container.create(ShimStreams.logged(log, 10, false, false, false));
        container.start();
        container.await();
        streams(container).drained("a", INIT).get(SECONDS, TimeUnit.SECONDS);

        assertThat(Files.readAllLines(log))
                .satisfiesExactly(
                        first -> assertThat(first).endsWith(" stdout P 0123456789"),
                        second -> assertThat(second).endsWith(" stdout F abcdef"));
    }

    @Test
    void goesOnInANewLogFile() throws Exception {
        Container container = container("/bin/cat");
        container.create(ShimStreams.logged(log, 16384, true, false, false));
        container.start();
        AttachedClient client = new AttachedClient(container, INIT, true);
        client.send("one\n");
        client.out.await("one\n");
        Path rotated = log.resolveSibling("rotated");
        Files.move(log, rotated);

        streams(container).reopenLog("a");

        assertThat(log).exists();
        client.send("two\n");
        client.out.await("two\n");
        assertThat(Files.readString(rotated)).endsWith(" stdout F one\n");
        assertThat(Files.readString(log)).endsWith(" stdout F two\n").doesNotContain("one");
    }

    @Test
    void servesManyClients() throws Exception {
        Container container = container("/bin/sh", "-c", "read x; echo out $x; echo err $x >&2; read y; exit 3");
        container.create(ShimStreams.logged(log, 16384, true, false, false));
        container.start();
        List<AttachedClient> clients = List.of(
                new AttachedClient(container, INIT, true),
                new AttachedClient(container, INIT, false),
                new AttachedClient(container, INIT, false));

        clients.getFirst().send("hello\n");

        for (AttachedClient client : clients) {
            client.out.await("out hello\n");
            client.err.await("err hello\n");
        }
        clients.get(1).streams.close();
        clients.getFirst().send("go\n");
        assertThat(container.await().status()).isEqualTo(3);
        clients.get(2).ended();
        assertThat(clients.get(2).streams.closed().get(SECONDS, TimeUnit.SECONDS))
                .isInstanceOf(EOFException.class);
    }

    @Test
    void keepsStdinOpenForTheNextClientUnlessItIsToBeUsedOnce() throws Exception {
        Container stays = container("/bin/sh", "-c", "read x; read y; echo got $x $y");
        stays.create(ShimStreams.logged(log, 16384, true, false, false));
        stays.start();
        AttachedClient first = new AttachedClient(stays, INIT, true);
        first.send("a\n");
        first.streams.close();
        AttachedClient second = new AttachedClient(stays, INIT, true);
        second.send("b\n");
        second.out.await("got a b\n");
        stays.remove();

        Container once = node.withoutFifos("b", Optional.empty(), false, "/bin/cat");
        once.create(ShimStreams.logged(log, 16384, true, true, false));
        once.start();
        AttachedClient only = new AttachedClient(once, INIT, true);
        only.send("once\n");
        only.out.await("once\n");
        only.streams.close();
        assertThat(once.await().status()).isZero();
    }

    @Test
    void runsACommandForAClientThatMissesNothing() throws Exception {
        Container container = running();
        byte[] process = Json.write(ShimNode.process(false, "/bin/sh", "-c", "echo early; cat; echo late >&2; exit 7"));
        container.shim.exec("a", "e", process, ShimStreams.attached(true, true, false));
        AttachedClient client = new AttachedClient(container, Optional.of("e"), true);
        client.send("typed before the start\n");
        var exit = container.shim.wait("a", Optional.of("e"));

        container.shim.startExec("a", "e");

        client.streams.endInput();
        client.ended();
        assertThat(client.out.text()).isEqualTo("early\ntyped before the start\n");
        assertThat(client.err.text()).isEqualTo("late\n");
        assertThat(exit.get(SECONDS, TimeUnit.SECONDS).status()).isEqualTo(7);
        container.shim.delete("a", Optional.of("e"));
    }

    @Test
    void holdsACommandUpWhileItsClientPauses() throws Exception {
        Container container = running();
        byte[] process = Json.write(
                ShimNode.process(false, "/bin/sh", "-c", "busybox yes 0123456789abcde | busybox head -c 8000000"));
        container.shim.exec("a", "e", process, ShimStreams.attached(false, false, false));
        AttachedClient client = new AttachedClient(container, Optional.of("e"), false);
        client.streams.pause();
        var exit = container.shim.wait("a", Optional.of("e"));
        container.shim.startExec("a", "e");
        Thread.sleep(300);
        assertThat(exit).isNotDone();

        client.streams.resume();

        client.ended();
        assertThat(client.out.size()).isEqualTo(8_000_000);
        assertThat(exit.get(SECONDS, TimeUnit.SECONDS).status()).isZero();
        container.shim.delete("a", Optional.of("e"));
    }

    @Test
    void cutsOffAClientThatIsFarBehindTheLog() throws Exception {
        // At a pace that a client can keep.
        Container container = container(
                "/bin/sh",
                "-c",
                "read x; for i in $(busybox seq 40); do busybox yes 0123456789abcde | busybox head -c 65536; sleep"
                        + " 0.05; done; read y");
        int size = 40 * 65536;
        container.create(ShimStreams.logged(log, 16384, true, false, false));
        container.start();
        AttachedClient slow = new AttachedClient(container, INIT, false);
        slow.streams.pause();
        AttachedClient quick = new AttachedClient(container, INIT, true);

        quick.send("go\n");
        quick.out.awaitSize(size);

        slow.streams.resume();
        slow.streams.closed().get(SECONDS, TimeUnit.SECONDS);
        assertThat(slow.out.size()).isLessThan(size);
        assertThat(slow.outEnded.getCount()).isEqualTo(1);
        assertThat(streams(container).logCounters("a").lines()).isEqualTo(size / 16);
    }

    @Test
    void givesATerminalOneStream() throws Exception {
        Container container =
                node.withoutFifos("a", Optional.empty(), true, "/bin/sh", "-c", "read x; stty size; echo err >&2");
        container.create(ShimStreams.logged(log, 16384, true, false, true));
        container.start();
        AttachedClient client = new AttachedClient(container, INIT, true);
        container.shim.resizePty("a", INIT, 123, 45);
        container.shim.closeIo("a", INIT); // which ends no terminal

        client.send("go\n");

        client.out.await("45 123");
        client.out.await("err");
        assertThat(container.await().status()).isZero();
        assertThat(client.outEnded.await(SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void tellsWhyNobodyCanAttach() throws Exception {
        Container container = running();

        assertThatThrownBy(() -> new AttachedClient(container, Optional.of("nope"), false))
                .isInstanceOf(ShimException.NotFound.class)
                .hasMessageStartingWith("cannot attach to exec nope in container a: ");
        assertThatThrownBy(() -> streams(container).reopenLog("b")).isInstanceOf(ShimException.NotFound.class);
    }

    private Container container(String... arguments) throws IOException {
        return node.withoutFifos("a", Optional.empty(), false, arguments);
    }

    private Container running() throws IOException {
        Container container = container("/bin/sleep", "1000");
        container.create(ShimStreams.logged(log, 16384, false, false, false));
        container.start();
        return container;
    }

    private static ShimStreams streams(Container container) {
        return container.shim.streams().orElseThrow();
    }
}
