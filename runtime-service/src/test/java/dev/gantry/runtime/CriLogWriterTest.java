package dev.gantry.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CriLogWriterTest {

    private static final String TIME = "2026-11-22T10:00:00.000000042Z";
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-22T10:00:00.000000042Z"), ZoneOffset.UTC);

    @TempDir
    private Path directory;

    private Path file;

    @BeforeEach
    void names() {
        file = directory.resolve("pod/0.log");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    private String log() throws IOException {
        return Files.readString(file);
    }

    @Test
    void writesWholeLinesWithTimeStreamAndTag() throws IOException {
        try (CriLogWriter writer = new CriLogWriter(file, 100, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("one\ntwo\n"));
            writer.write(LogStream.STDERR, bytes("oh\n"));
        }

        assertThat(log()).isEqualTo(TIME + " stdout F one\n" + TIME + " stdout F two\n" + TIME + " stderr F oh\n");
    }

    @Test
    void joinsALineThatComesInPieces() throws IOException {
        try (CriLogWriter writer = new CriLogWriter(file, 100, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("be"));
            writer.write(LogStream.STDERR, bytes("x\n"));
            writer.write(LogStream.STDOUT, bytes("gin\nr"));
            writer.end(LogStream.STDOUT);
        }

        assertThat(log()).isEqualTo(TIME + " stderr F x\n" + TIME + " stdout F begin\n" + TIME + " stdout P r\n");
    }

    @Test
    void splitsALineThatIsLongerThanTheLimit() throws IOException {
        try (CriLogWriter writer = new CriLogWriter(file, 4, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("abcdefghij\n"));
        }

        assertThat(log()).isEqualTo(TIME + " stdout P abcd\n" + TIME + " stdout P efgh\n" + TIME + " stdout F ij\n");
    }

    @Test
    void aLineOfExactlyTheLimitIsWhole() throws IOException {
        try (CriLogWriter writer = new CriLogWriter(file, 4, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("abcd\n"));
        }

        assertThat(log()).isEqualTo(TIME + " stdout F abcd\n");
    }

    @Test
    void keepsCarriageReturnsEmptyLinesAndBytesThatAreNoText() throws IOException {
        try (CriLogWriter writer = new CriLogWriter(file, 100, CLOCK)) {
            writer.write(LogStream.STDOUT, ByteBuffer.wrap(new byte[] {'a', '\r', '\n', '\n', (byte) 0xff, '\n'}));
        }

        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                .isEqualTo(TIME + " stdout F a\r\n" + TIME + " stdout F \n" + TIME + " stdout F \u00ff\n");
    }

    @Test
    void goesOnInANewFileAfterARotation() throws IOException {
        Path old = directory.resolve("pod/0.log.1");
        try (CriLogWriter writer = new CriLogWriter(file, 100, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("before\n"));
            Files.move(file, old);
            writer.reopen();

            assertThat(file).exists();
            writer.write(LogStream.STDOUT, bytes("after\n"));
        }

        assertThat(Files.readString(old)).endsWith("before\n");
        assertThat(log()).isEqualTo(TIME + " stdout F after\n");
    }

    @Test
    void writesMoreThanItsBufferHolds() throws IOException {
        String line = "x".repeat(999) + "\n";
        try (CriLogWriter writer = new CriLogWriter(file, 16 << 10, CLOCK)) {
            for (int i = 0; i < 10; i++) {
                writer.write(LogStream.STDOUT, bytes(line.repeat(60)));
            }
        }

        assertThat(log().lines())
                .hasSize(600)
                .allMatch(it -> it.length() == TIME.length() + " stdout F ".length() + 999);
    }

    @Test
    void losesLinesButGoesOnWhenTheDiskIsFull() {
        try (CriLogWriter writer = new CriLogWriter(Path.of("/dev/full"), 100, CLOCK)) {
            writer.write(LogStream.STDOUT, bytes("lost\n"));

            assertThat(writer.counters().lostBytes()).isEqualTo(TIME.length() + " stdout F lost\n".length());
        }
    }
}
