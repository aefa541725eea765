package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PullImageRequest;
import io.grpc.Status;
import java.io.IOException;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Requests that can never be met: each is refused with the right code and a message that names the object.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputIT {

    private ChildNode node;
    private TestCalls calls;
    private String pod;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
        pod = calls.run(calls.pod("pod"));
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    @Test
    void aPodWithoutMetadata() {
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.run(PodSandboxConfig.newBuilder())))
                .contains("metadata");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.run(changed(it -> it.getMetadataBuilder().clearUid()))))
                .contains("uid");
    }

    @Test
    void aLogFolderThatIsNotAbsolute() {
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT, () -> calls.run(changed(it -> it.setLogDirectory("logs/here")))))
                .contains("logs/here");
    }

    @Test
    void aHandlerThatIsNotConfigured() {
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.run(calls.pod("other"), "kata")))
                .contains("kata");
    }

    @Test
    void kernelParametersOfTheHost() {
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.run(changed(it -> it.setLinux(
                                LinuxPodSandboxConfig.newBuilder().putSysctls("kernel.core_pattern", "|/bin/evil"))))))
                .contains("kernel.core_pattern");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.run(changed(it -> {
                            LinuxPodSandboxConfig.Builder linux = it.getLinuxBuilder();
                            var _ = linux.putSysctls("net.ipv4.ip_forward", "1");
                            linux.getSecurityContextBuilder()
                                    .getNamespaceOptionsBuilder()
                                    .setNetwork(NamespaceMode.NODE);
                        }))))
                .contains("net.ipv4.ip_forward");
    }

    private PodSandboxConfig.Builder changed(Consumer<PodSandboxConfig.Builder> change) {
        PodSandboxConfig.Builder config = calls.pod("bad");
        change.accept(config);
        return config;
    }

    @Test
    void anImageThatIsNotThere() {
        assertThat(create(Status.Code.NOT_FOUND, it -> it.getImageBuilder().setImage("gantry.test/none:1")))
                .contains("gantry.test/none:1");
    }

    @Test
    void aContainerWithoutAName() {
        assertThat(create(Status.Code.INVALID_ARGUMENT, ContainerConfig.Builder::clearMetadata))
                .contains("name");
    }

    @Test
    void aLogOutsideOfThePodsFolder() {
        assertThat(create(Status.Code.INVALID_ARGUMENT, it -> it.setLogPath("../../etc/cron.d/x")))
                .contains("../../etc/cron.d/x");
        assertThat(create(Status.Code.INVALID_ARGUMENT, it -> it.setLogPath("/etc/cron.d/x")))
                .contains("/etc/cron.d/x");
    }

    @Test
    void aMountOnARelativePath() {
        assertThat(create(
                        Status.Code.INVALID_ARGUMENT,
                        it -> it.addMounts(
                                Mount.newBuilder().setHostPath("/tmp").setContainerPath("relative/path"))))
                .contains("relative/path");
        assertThat(create(
                        Status.Code.INVALID_ARGUMENT,
                        it -> it.addMounts(
                                Mount.newBuilder().setHostPath("/tmp").setContainerPath("/a/.."))))
                .contains("/a/..");
    }

    @Test
    void aWorkingFolderThatIsADescriptorOfTheRuntime() {
        assertThat(create(Status.Code.INVALID_ARGUMENT, it -> it.setWorkingDir("/proc/self/fd/7")))
                .contains("/proc/self/fd/7");
    }

    @Test
    void usersThatCannotBe() {
        assertThat(create(
                        Status.Code.INVALID_ARGUMENT,
                        it -> it.getLinuxBuilder()
                                .getSecurityContextBuilder()
                                .setRunAsUser(Int64Value.newBuilder().setValue(4_294_967_296L))))
                .contains("4294967296");
        assertThat(create(
                        Status.Code.INVALID_ARGUMENT,
                        it -> it.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("nobody-knows")))
                .contains("nobody-knows");
    }

    /// The message of a refused container, of which nothing may be left.
    private String create(Status.Code code, Consumer<ContainerConfig.Builder> change) {
        ContainerConfig.Builder config = calls.sleeper("bad");
        change.accept(config);
        String message = refused(code, () -> calls.create(pod, config));
        assertThat(calls.containers()).isEmpty();
        String good = calls.create(
                pod,
                calls.sleeper("bad").setMetadata(ContainerMetadata.newBuilder().setName("bad")));
        calls.remove(good);
        return message;
    }

    @Test
    void aRegistryThatIsDown() {
        String message = refused(Status.Code.UNKNOWN, () -> {
            PullImageRequest.Builder request = PullImageRequest.newBuilder();
            request.getImageBuilder().setImage("127.0.0.1:1/none:1");
            var _ = node.client().images().pullImage(request.build());
        });

        assertThat(message).startsWith("RegistryUnavailable").contains("127.0.0.1:1");
    }

    @Test
    void aSecondDaemonOnTheSameFolders() {
        Process second = node.launch();

        await("the second daemon ends").atMost(ChildNode.PATIENCE).until(() -> !second.isAlive());

        assertThat(second.exitValue()).isEqualTo(1);
        assertThat(node.log()).contains("another gantryd", node.root().toString());
        assertThat(calls.pods()).hasSize(1);
    }
}
