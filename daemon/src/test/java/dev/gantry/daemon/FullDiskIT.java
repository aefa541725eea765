package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
            var _ = ChildProgram.run("dd", "if=/dev/zero", "of=" + ballast(), "bs=4k", "oflag=append", "conv=notrunc");
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

    /// Or nobody could make room: the kubelet removes what it does not need when the disk is full.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsThereCanBeRemoved(boolean afterARestart) throws IOException {
        String pod = calls.run(calls.pod("pod"));
        String running = calls.run(pod, calls.sleeper("running"));
        String ended = calls.run(pod, calls.container("ended", "sh", "-c", "dd if=/dev/zero of=/file bs=1M count=4"));
        var _ = calls.exited(ended);
        fill();
        if (afterARestart) {
            node.stop();
            fill();
            node.start();
            fill();
        }

        calls.remove(ended);
        fill();
        calls.stop(running, 5);
        calls.remove(running);
        fill();
        calls.stopPod(pod);
        calls.removePod(pod);
        fill();
        var _ = node.client()
                .images()
                .removeImage(RemoveImageRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(TestImages.NAME))
                        .build());

        assertThat(calls.pods()).isEmpty();
        assertThat(calls.containers()).isEmpty();
        assertThat(node.client()
                        .images()
                        .listImages(ListImagesRequest.getDefaultInstance())
                        .getImagesList())
                .noneMatch(it -> it.getRepoTagsList().contains(TestImages.NAME));
    }
}
