package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The disk with the daemon's root is full: calls say so, leave nothing half done, and work again once there is room.
@ExtendWith(DistributionRequired.class)
class FullDiskIT {

    private ChildNode node;
    private TestCalls calls;

    @BeforeEach
    void start() throws IOException {
        node = ChildNode.create();
        Files.createDirectories(node.root());
        Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), List.of("size=64m")), node.root());
        node.start();
        calls = node.calls();
    }

    @AfterEach
    void close() throws IOException {
        node.close();
    }

    private Path ballast() {
        return node.root().resolve("ballast");
    }

    private void fill() {
        try {
            var _ = ChildProgram.run("dd", "if=/dev/zero", "of=" + ballast(), "bs=4k");
        } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    @Test
    void callsSaySoAndWorkAgainOnceThereIsRoom() throws IOException {
        String pod = calls.run(calls.pod("pod"));
        String running = calls.run(pod, calls.sleeper("running"));

        fill();
        assertThat(refused(Status.Code.RESOURCE_EXHAUSTED, () -> calls.run(calls.pod("late"))))
                .contains("late_test");
        assertThat(calls.pods()).hasSize(1);
        assertThat(calls.shell(running, "echo here")).isEqualTo("here");

        Files.delete(ballast());
        var _ = calls.run(pod, calls.sleeper("late"));
        var _ = calls.run(calls.pod("late"));
        assertThat(calls.pods()).hasSize(2);
    }
}
