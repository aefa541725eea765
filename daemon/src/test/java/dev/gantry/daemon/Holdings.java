package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// What a daemon holds of the kernel, for tests that nothing stays of what has come and gone.
///
/// @param files   open, but for the database's, which opens and closes them as it likes
/// @param threads running
record Holdings(int files, int threads) {

    private static final int MORE_FILES = 3;
    private static final int MORE_THREADS = 8;

    /// When the files do not change any more.
    static Holdings settled(ChildNode node) {
        Holdings[] before = {of(node)};
        return await().atMost(ChildNode.PATIENCE)
                .pollDelay(Duration.ofSeconds(2))
                .pollInterval(Duration.ofSeconds(2))
                .until(
                        () -> {
                            Holdings last = before[0];
                            before[0] = of(node);
                            return last;
                        },
                        it -> it.files == before[0].files);
    }

    private static Holdings of(ChildNode node) {
        Path database = node.root().resolve("metadata");
        return new Holdings(
                (int) entries(node, "fd").stream()
                        .filter(it -> !target(it).startsWith(database))
                        .count(),
                entries(node, "task").size());
    }

    private static List<Path> entries(ChildNode node, String of) {
        try (Stream<Path> entries = Files.list(Path.of("/proc", Long.toString(node.pid()), of))) {
            return entries.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path target(Path link) {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException _) {
            return link; // closed meanwhile
        }
    }

    /// Waits until there is hardly more than this.
    void awaitNoMore(ChildNode node) {
        await().atMost(ChildNode.PATIENCE).untilAsserted(() -> {
            Holdings now = of(node);
            assertThat(now.files).isLessThanOrEqualTo(files + MORE_FILES);
            assertThat(now.threads).isLessThanOrEqualTo(threads + MORE_THREADS);
        });
    }
}
