package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LeakIT {

    private static final int WARM_UP = 10;
    private static final int ROUNDS = 200;

    @Test
    void twoHundredPodsLeaveNothingBehind() throws IOException, InterruptedException {
        try (TestNode node = TestNode.start();
                CriClient client = new CriClient(node.socket())) {
            run(node, client, WARM_UP);
            Traces before = settled(node, Traces.of(node));

            run(node, client, ROUNDS);

            assertThat(settled(node, before))
                    .as("after %d pods", ROUNDS)
                    .matches(it -> it.addNothingTo(before), "adds nothing to " + before);
        }
    }

    private static void run(TestNode node, CriClient client, int rounds) {
        for (int round = 0; round < rounds; round++) {
            SamplePod pod = new SamplePod(
                    client, SamplePod.Program.HELLO, node.directory().resolve("pod-logs"));
            pod.run();
            pod.createContainer();
            pod.startContainer();
            pod.exec();
            pod.stopContainer();
            pod.removeContainer();
            pod.stop();
            pod.remove();
        }
    }

    /// What is there as soon as it equals the expected, else after ten seconds: shims end a moment after their pod.
    private static Traces settled(TestNode node, Traces expected) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        Traces seen;
        do {
            TimeUnit.SECONDS.sleep(2);
            seen = Traces.of(node);
        } while (!seen.addNothingTo(expected) && System.nanoTime() < end);
        return seen;
    }
}
