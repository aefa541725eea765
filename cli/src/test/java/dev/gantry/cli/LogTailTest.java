package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTailTest {

    private static final String TIME = "2026-11-22T15:04:05.123456789Z";

    @TempDir
    private Path directory;

    private Path file;
    private final List<String> lines = new ArrayList<>();

    @BeforeEach
    void place() {
        file = directory.resolve("0.log");
    }

    private void append(String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private List<String> poll(LogTail log) {
        lines.clear();
        log.poll(
                line -> lines.add((line.error() ? "err " : "out ") + line.text().toStringUtf8()));
        return lines;
    }

    @Test
    void readsWhatIsAddedAndNothingTwice() throws IOException {
        try (var log = new LogTail(file)) {
            assertThat(poll(log)).isEmpty();
            append(TIME + " stdout F one\n");
            assertThat(poll(log)).containsExactly("out one");
            append(TIME + " stderr F two\n" + TIME + " stdout F thr");
            assertThat(poll(log)).containsExactly("err two");
            append("ee\n");
            assertThat(poll(log)).containsExactly("out three");
            assertThat(poll(log)).isEmpty();
        }
    }

    @Test
    void joinsPartsOfALineForEachStreamOfItsOwn() throws IOException {
        append(TIME + " stdout P a\n" + TIME + " stderr P x\n" + TIME + " stdout F b\n" + TIME + " stderr F y\n");

        try (var log = new LogTail(file)) {
            assertThat(poll(log)).containsExactly("out ab", "err xy");
        }
    }

    @Test
    void keepsEmptyLinesAndSpacesAndFurtherTags() throws IOException {
        append(TIME + " stdout F \n" + TIME + " stdout F:more  two  spaces \n");

        try (var log = new LogTail(file)) {
            assertThat(poll(log)).containsExactly("out ", "out  two  spaces ");
        }
    }

    @Test
    void passesOnWhatIsNoRecord() throws IOException {
        append("panic\n" + TIME + " stdout Q text\n");

        try (var log = new LogTail(file)) {
            assertThat(poll(log)).containsExactly("out panic", "out " + TIME + " stdout Q text");
        }
    }

    @Test
    void goesOnWithTheNewFileAfterARotation() throws IOException {
        append(TIME + " stdout F one\n");
        try (var log = new LogTail(file)) {
            assertThat(poll(log)).containsExactly("out one");
            append(TIME + " stdout F the last of the old file\n");
            Files.move(file, directory.resolve("0.log.20261122-150405"));
            assertThat(poll(log)).containsExactly("out the last of the old file");
            append(TIME + " stdout F the first of the new\n");
            assertThat(poll(log)).containsExactly("out the first of the new");
        }
    }

    @Test
    void missesNothingWhenTheNewFileIsThereBeforeTheOldOneWasRead() throws IOException {
        append(TIME + " stdout F one\n");
        try (var log = new LogTail(file)) {
            poll(log);
            append(TIME + " stdout F two\n");
            Files.move(file, directory.resolve("0.log.20261122-150405"));
            append(TIME + " stdout F three\n");
            assertThat(poll(log)).containsExactly("out two", "out three");
        }
    }

    @Test
    void beginsAgainWhenTheFileWasCutShort() throws IOException {
        append(TIME + " stdout F a long line before\n");
        try (var log = new LogTail(file)) {
            poll(log);
            Files.writeString(file, TIME + " stdout F new\n", StandardOpenOption.TRUNCATE_EXISTING);
            assertThat(poll(log)).containsExactly("out new");
        }
    }

    @Test
    void passesAnEndlessLineOnInPieces() throws IOException {
        String part = TIME + " stdout P " + "x".repeat(1 << 16) + "\n";
        append(part.repeat(20));

        try (var log = new LogTail(file)) {
            assertThat(poll(log)).hasSize(1);
            assertThat(lines.getFirst().getBytes(StandardCharsets.UTF_8)).hasSize(4 + (1 << 20));
        }
    }
}
