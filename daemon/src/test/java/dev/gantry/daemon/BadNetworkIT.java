package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import dev.gantry.cri.runtime.v1.StatusRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A network that is not configured, or whose plugin fails: pods say so, nothing of them is left, and those without a
/// network of their own run.
@ExtendWith(DistributionRequired.class)
class BadNetworkIT {

    private static final String RESULT =
            "{\\\"cniVersion\\\":\\\"1.0.0\\\",\\\"ips\\\":[{\\\"address\\\":\\\"10.250.0.2/24\\\"}]}";

    private ChildNode node;
    private TestCalls calls;

    @BeforeEach
    void make() throws IOException {
        node = ChildNode.create();
        node.set("cni.bin_dirs", "[" + ChildNode.quoted(plugins()) + "]");
        node.set("cni.add_timeout", "\"2s\"");
        node.set("cni.del_timeout", "\"2s\"");
        node.network("{\"cniVersion\": \"1.0.0\", \"name\": \"strange\", \"plugins\": [{\"type\": \"strange\"}]}");
        calls = node.calls();
    }

    @AfterEach
    void close() throws IOException {
        node.close();
    }

    private Path plugins() {
        return node.directory().resolve("plugins");
    }

    /// Puts the plugin in place.
    private void plugin(String script) throws IOException {
        Files.createDirectories(plugins());
        Path next = Files.writeString(node.directory().resolve("plugin"), "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.move(next, plugins().resolve("strange"), StandardCopyOption.REPLACE_EXISTING);
    }

    private RuntimeCondition networkReady() {
        return node
                .client()
                .runtime()
                .status(StatusRequest.getDefaultInstance())
                .getStatus()
                .getConditionsList()
                .stream()
                .filter(it -> it.getType().equals("NetworkReady"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void withoutAConfigurationOnlyPodsOnTheHostsNetworkRun() throws IOException {
        Files.delete(node.networkConfiguration());
        node.start();
        String folder = node.directory().resolve("net.d").toString();

        assertThat(networkReady()).satisfies(it -> {
            assertThat(it.getStatus()).isFalse();
            assertThat(it.getReason()).isNotEmpty();
            assertThat(it.getMessage()).contains(folder);
        });
        assertThat(refused(Status.Code.INTERNAL, () -> calls.run(calls.pod("pod"))))
                .contains("pod_test", folder);
        assertThat(calls.pods()).isEmpty();
        assertThat(node.left()).isEmpty();
        PodSandboxConfig.Builder host = calls.pod("host");
        host.getLinuxBuilder()
                .getSecurityContextBuilder()
                .getNamespaceOptionsBuilder()
                .setNetwork(NamespaceMode.NODE);
        assertThat(calls.podStatus(calls.run(host)).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);

        // It comes: no restart is needed.
        plugin("[ $CNI_COMMAND = DEL ] || echo \"" + RESULT + "\"\n");
        node.network("{\"cniVersion\": \"1.0.0\", \"name\": \"strange\", \"plugins\": [{\"type\": \"strange\"}]}");
        await().atMost(ChildNode.PATIENCE).until(() -> networkReady().getStatus());
        assertThat(calls.podStatus(calls.run(calls.pod("pod")))
                        .getStatus()
                        .getNetwork()
                        .getIp())
                .isEqualTo("10.250.0.2");
    }

    @Test
    void whatAPluginSaysIsPassedOn() throws IOException {
        plugin("""
                [ $CNI_COMMAND = DEL ] && exit 0
                echo '{"cniVersion":"1.0.0","code":111,"msg":"no more trees","details":"in forest 7"}'
                exit 1
                """);
        node.start();

        assertThat(refused(Status.Code.INTERNAL, () -> calls.run(calls.pod("pod"))))
                .contains("pod_test", "strange", "111", "no more trees", "in forest 7");

        assertThat(calls.pods()).isEmpty();
        await().atMost(ChildNode.PATIENCE).until(() -> node.left().isEmpty());
    }

    @Test
    void aPluginThatHangsIsKilled() throws IOException {
        plugin("[ $CNI_COMMAND = DEL ] && exit 0\nexec sleep 4321\n");
        node.start();

        assertThat(refused(Status.Code.DEADLINE_EXCEEDED, () -> calls.run(calls.pod("pod"))))
                .contains("pod_test", "strange");

        assertThat(calls.pods()).isEmpty();
        await().atMost(ChildNode.PATIENCE).until(() -> node.left().isEmpty());
    }

    @Test
    void aPluginThatCannotDeleteDoesNotKeepThePod() throws IOException {
        plugin("[ $CNI_COMMAND = DEL ] && exit 3\necho \"" + RESULT + "\"\n");
        node.start();
        String pod = calls.run(calls.pod("pod"));
        var _ = calls.run(pod, calls.sleeper("main"));

        calls.stopPod(pod);

        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        calls.removePod(pod);
        assertThat(calls.pods()).isEmpty();
    }

    @Test
    void aPluginThatHangsInDeletingDoesNotKeepThePod() throws IOException {
        plugin("[ $CNI_COMMAND = DEL ] && exec sleep 4321\necho \"" + RESULT + "\"\n");
        node.start();
        String pod = calls.run(calls.pod("pod"));

        calls.stopPod(pod);

        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        calls.removePod(pod);
        assertThat(calls.pods()).isEmpty();
    }
}
