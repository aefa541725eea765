package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;

/// What a daemon holds of the kernel, for tests that nothing stays of what has come and gone.
///
/// @param files   open
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
        return new Holdings(count(node, "fd"), count(node, "task"));
    }

    private static int count(ChildNode node, String of) {
        String[] entries =
                Path.of("/proc", Long.toString(node.pid()), of).toFile().list();
        return entries == null ? 0 : entries.length;
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
