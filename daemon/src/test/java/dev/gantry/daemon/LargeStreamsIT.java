package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// A gigabyte that nobody may hold in memory, nor change, passes through exec and port forwarding, there and back.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LargeStreamsIT {

    private static final int PIECE = 64 << 10;
    private static final int PIECES = 16 << 10;
    private static final long SIZE = (long) PIECE * PIECES;
    private static final long MINUTES = 8;
    /// The heap, what Netty takes at once, and some room.
    private static final long MOST_MORE = 96L << 20;

    private StreamingNode streams;

    @BeforeAll
    void start() throws IOException {
        streams = StreamingNode.start(ChildNode.create());
    }

    @AfterAll
    void close() throws IOException {
        streams.close();
    }

    private static byte[] piece(int number) {
        byte[] piece = new byte[PIECE];
        new Random(number).nextBytes(piece);
        return piece;
    }

    private static String digest() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] piece = piece(1);
        for (int i = 0; i < PIECES; i++) {
            piece[0] = (byte) i;
            digest.update(piece);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static CompletableFuture<Void> sending(SpdyClient client, int stream) {
        return CompletableFuture.runAsync(() -> {
            byte[] piece = piece(1);
            try {
                for (int i = 0; i < PIECES; i++) {
                    piece[0] = (byte) i;
                    client.send(stream, piece);
                }
                client.end(stream);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Test
    void throughExec() throws Exception {
        try (SpdyClient client =
                SpdyClient.connect(streams.address(streams.command("cat").setStdin(true)), "v4.channel.k8s.io")) {
            int error = client.open("error");
            int in = client.open("stdin");
            int out = client.open("stdout");
            client.received(out).digestOnly();
            long before = memory();
            CompletableFuture<Void> sent = sending(client, in);

            assertThat(client.readAll(error)).contains("Success");

            client.readUntil(() -> client.received(out).ended());
            assertThat(client.received(out).count()).isEqualTo(SIZE);
            assertThat(client.received(out).digest()).isEqualTo(digest());
            assertThat(sent).succeedsWithin(MINUTES, TimeUnit.MINUTES);
            assertThat(memory() - before).isLessThan(MOST_MORE);
        }
    }

    @Test
    void throughAForwardedPort() throws Exception {
        try (PodServer _ = PodServer.echo(streams.node(), streams.pod(), "127.0.0.1", 7000);
                SpdyClient client = SpdyClient.connect(streams.portForward(), "portforward.k8s.io")) {
            int error = client.open(Map.of("streamtype", "error", "port", "7000", "requestid", "1"));
            int data = client.open(Map.of("streamtype", "data", "port", "7000", "requestid", "1"));
            client.received(data).digestOnly();
            long before = memory();
            CompletableFuture<Void> sent = sending(client, data);

            client.readUntil(() -> client.received(data).ended());

            assertThat(client.received(data).count()).isEqualTo(SIZE);
            assertThat(client.received(data).digest()).isEqualTo(digest());
            assertThat(client.readAll(error)).isEmpty();
            assertThat(sent).succeedsWithin(MINUTES, TimeUnit.MINUTES);
            assertThat(memory() - before).isLessThan(MOST_MORE);
        }
    }

    /// The most that the daemon has had in memory, in bytes.
    private long memory() {
        return ChildNode.proc(Path.of("/proc", Long.toString(streams.node().pid()), "status"))
                .lines()
                .filter(it -> it.startsWith("VmHWM:"))
                .mapToLong(
                        it -> Long.parseLong(Arrays.asList(it.split("\\s+", -1)).get(1)) << 10)
                .findFirst()
                .orElseThrow();
    }
}
