package dev.gantry.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What must hold of the streams of containers and commands, whoever holds their far end.
@Timeout(120)
abstract class ContainerIoContract {

    private static final ProcessIo.Wanted ALL = new ProcessIo.Wanted(true, true, true);
    private static final ProcessIo.Wanted OUTPUT = new ProcessIo.Wanted(false, true, true);

    private @Nullable IoNode node;

    /// The binary of the shim.
    abstract Path shim();

    abstract Class<? extends ContainerIo> implementation();

    private IoNode node(ContainerConfig.Builder config, String... command) throws IOException {
        IoNode made = new IoNode(shim(), config, command);
        node = made;
        assertThat(made.io).isInstanceOf(implementation());
        return made;
    }

    private IoNode node(String... command) throws IOException {
        return node(ContainerConfig.newBuilder().setStdin(true), command);
    }

    @AfterEach
    void close() throws IOException {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void theLogHasAllOutputOnceItIsDrained() throws Exception {
        IoNode made = node("sh", "-c", "for i in $(seq 2000); do echo out $i; echo err $i >&2; done; echo -n rest");
        made.start();
        assertThat(made.exit().status()).isZero();

        made.io.drained().get(IoNode.SECONDS, TimeUnit.SECONDS);

        assertThat(Files.readAllLines(made.log))
                .hasSize(4001)
                .allMatch(line -> line.matches("\\S+Z std(out|err) [FP] (out \\d+|err \\d+|rest)"))
                .anyMatch(line -> line.endsWith(" stderr F err 2000"))
                .last()
                .satisfies(line -> assertThat(line).endsWith(" stdout P rest"));
        assertThat(made.io.logCounters().orElseThrow().lines()).isEqualTo(4001);
        assertThat(made.io.logCounters().orElseThrow().bytes()).isEqualTo(Files.size(made.log));
        assertThat(made.io.logCounters().orElseThrow().lostBytes()).isZero();
    }

    @Test
    void everyClientGetsWhatItAskedForAndTheLogAll() throws Exception {
        IoNode made = node("sh", "-c", "read x; echo out $x; echo err $x >&2; read y; exit 3");
        Client first = new Client();
        Client errors = new Client();
        try (var input = made.io.attach(ALL, first);
                var other = made.io.attach(new ProcessIo.Wanted(false, false, true), errors)) {
            made.start();
            input.write(bytes("hello\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            first.await(LogStream.STDOUT, "out hello\n");
            errors.await(LogStream.STDERR, "err hello\n");
            assertThatThrownBy(() -> other.write(bytes("x")).get(IoNode.SECONDS, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(ContainerException.WrongState.class);
            input.write(bytes("go\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            assertThat(made.exit().status()).isEqualTo(3);
            input.done().get(IoNode.SECONDS, TimeUnit.SECONDS);
            other.done().get(IoNode.SECONDS, TimeUnit.SECONDS);
        }
        assertThat(errors.text(LogStream.STDOUT)).isEmpty();
        assertThat(Files.readString(made.log)).contains(" stdout F out hello\n").contains(" stderr F err hello\n");
    }

    @Test
    void stdinStaysOpenForTheNextClient() throws Exception {
        IoNode made = node("sh", "-c", "read x; read y; echo got $x $y; read z");
        made.start();
        Client client = new Client();
        try (var first = made.io.attach(ALL, client)) {
            first.write(bytes("a\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            first.endInput();
        }
        try (var second = made.io.attach(ALL, client)) {
            second.write(bytes("b\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            client.await(LogStream.STDOUT, "got a b\n");
        }
    }

    @Test
    void stdinEndsWithTheFirstClientWhereThatIsWanted() throws Exception {
        IoNode made = node(ContainerConfig.newBuilder().setStdin(true).setStdinOnce(true), "cat");
        made.start();
        Client client = new Client();
        try (var only = made.io.attach(ALL, client)) {
            only.write(bytes("once\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            client.await(LogStream.STDOUT, "once\n");
        }
        assertThat(made.exit().status()).isZero();
    }

    @Test
    void aReopenedLogIsANewFile() throws Exception {
        IoNode made = node("cat");
        made.start();
        Client client = new Client();
        try (var input = made.io.attach(ALL, client)) {
            input.write(bytes("one\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            client.await(LogStream.STDOUT, "one\n");
            Path rotated = Files.move(made.log, made.log.resolveSibling("rotated"));

            made.io.reopenLog();

            assertThat(made.log).exists();
            input.write(bytes("two\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            client.await(LogStream.STDOUT, "two\n");
            assertThat(Files.readString(rotated)).endsWith(" stdout F one\n");
            assertThat(Files.readString(made.log)).endsWith(" stdout F two\n").doesNotContain("one");
        }
    }

    @Test
    void aTerminalHasOneStream() throws Exception {
        IoNode made = node(ContainerConfig.newBuilder().setStdin(true).setTty(true), "sh", "-c", "read x; echo $x >&2");
        Client client = new Client();
        try (var input = made.io.attach(ALL, client)) {
            made.start();
            input.write(bytes("hi\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            assertThat(made.exit().status()).isZero();
            input.done().get(IoNode.SECONDS, TimeUnit.SECONDS);
        }
        assertThat(client.text(LogStream.STDOUT)).contains("hi\r\n");
        assertThat(client.text(LogStream.STDERR)).isEmpty();
    }

    @Test
    void aDaemonThatComesBackGoesOn() throws Exception {
        IoNode made = node("cat");
        made.start();
        Client client = new Client();
        try (var input = made.io.attach(ALL, client)) {
            input.write(bytes("before\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            client.await(LogStream.STDOUT, "before\n");
        }
        try (ContainerIo again = made.reopened()) {
            assertThat(again).isInstanceOf(implementation());
            try (var input = again.attach(ALL, client)) {
                input.write(bytes("after\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
                client.await(LogStream.STDOUT, "after\n");
            }
            assertThat(Files.readString(made.log))
                    .contains(" stdout F before\n")
                    .contains(" stdout F after\n");
        }
    }

    @Test
    void aCommandHasItsOwnStreamsAndItsClientMissesNothing() throws Exception {
        IoNode made = node("sleep", "1000");
        made.start();
        Client client = new Client();
        try (ExecProcess command = made.exec(true, "sh", "-c", "echo early; cat; echo late >&2; exit 7");
                var input = command.io().attach(ALL, client)) {
            command.start();
            input.write(bytes("typed\n")).get(IoNode.SECONDS, TimeUnit.SECONDS);
            input.endInput();
            assertThat(command.exit().get(IoNode.SECONDS, TimeUnit.SECONDS).status())
                    .isEqualTo(7);
            input.done().get(IoNode.SECONDS, TimeUnit.SECONDS);
        }
        assertThat(client.text(LogStream.STDOUT)).isEqualTo("early\ntyped\n");
        assertThat(client.text(LogStream.STDERR)).isEqualTo("late\n");
    }

    @Test
    void aCommandWaitsForAClientThatPausesAndLosesNothing() throws Exception {
        IoNode made = node("sleep", "1000");
        made.start();
        Client client = new Client();
        try (ExecProcess command = made.exec(false, "sh", "-c", "yes 0123456789abcde | head -c 4000000");
                var output = command.io().attach(OUTPUT, client)) {
            output.pause();
            command.start();
            TimeUnit.MILLISECONDS.sleep(300);
            assertThat(command.exit()).isNotDone();
            output.resume();
            output.done().get(IoNode.SECONDS, TimeUnit.SECONDS);
            assertThat(command.exit().get(IoNode.SECONDS, TimeUnit.SECONDS).status())
                    .isZero();
        }
        assertThat(client.text(LogStream.STDOUT)).hasSize(4_000_000);
    }

    @Test
    void aCommandRunsOnWhenItsClientLeaves() throws Exception {
        IoNode made = node("sleep", "1000");
        made.start();
        Client client = new Client();
        try (ExecProcess command = made.exec(false, "sh", "-c", "echo begin; yes | head -c 1000000; exit 9")) {
            try (var _ = command.io().attach(OUTPUT, client)) {
                command.start();
                client.await(LogStream.STDOUT, "begin\n");
            }
            assertThat(command.exit().get(IoNode.SECONDS, TimeUnit.SECONDS).status())
                    .isEqualTo(9);
        }
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    /// Keeps what it gets.
    private static final class Client implements ProcessIo.Output {

        private final Map<LogStream, ByteArrayOutputStream> texts = new EnumMap<>(LogStream.class);

        @Override
        public synchronized void data(LogStream stream, ByteBuffer bytes) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            texts.computeIfAbsent(stream, _ -> new ByteArrayOutputStream()).writeBytes(copy);
            notifyAll();
        }

        @Override
        public void end(LogStream stream) {}

        synchronized String text(LogStream stream) {
            ByteArrayOutputStream text = texts.get(stream);
            return text == null ? "" : text.toString(UTF_8);
        }

        synchronized void await(LogStream stream, String wanted) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(IoNode.SECONDS);
            while (!text(stream).contains(wanted) && System.nanoTime() < end) {
                wait(100);
            }
            assertThat(text(stream)).contains(wanted);
        }
    }
}
