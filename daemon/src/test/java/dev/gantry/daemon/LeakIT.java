package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(DistributionRequired.class)
class LeakIT {

    private static final int WARM_UP = 10;
    private static final int ROUNDS = 200;

    @Test
    void twoHundredPodsLeaveNothingBehind() throws IOException {
        try (ChildNode node = ChildNode.started()) {
            run(node.calls(), WARM_UP);
            node.removePods();
            Holdings before = Holdings.settled(node);
            List<Path> files = files(node);

            run(node.calls(), ROUNDS);

            node.removePods();
            before.awaitNoMore(node);
            await("no more files")
                    .atMost(ChildNode.PATIENCE)
                    .untilAsserted(() -> assertThat(files(node)).isEqualTo(files));
        }
    }

    private static void run(TestCalls calls, int rounds) {
        for (int round = 0; round < rounds; round++) {
            String pod = calls.run(calls.pod("pod"));
            String container = calls.run(pod, calls.sleeper("main"));
            calls.awaitOutput(container, "ready");
            assertThat(calls.shell(container, "echo here")).isEqualTo("here");
            calls.stop(container, 10);
            calls.remove(container);
            calls.stopPod(pod);
            calls.removePod(pod);
        }
    }

    /// Of the daemon, but for its database, which opens and closes files as it likes.
    private static List<Path> files(ChildNode node) throws IOException {
        try (Stream<Path> root = Files.walk(node.root());
                Stream<Path> state = Files.walk(node.state())) {
            return Stream.concat(root, state)
                    .filter(it -> !it.startsWith(node.root().resolve("metadata")))
                    .sorted()
                    .toList();
        }
    }
}
