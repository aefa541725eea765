package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PortMapping;
import dev.gantry.cri.runtime.v1.Protocol;
import dev.gantry.cri.runtime.v1.WindowsPodSandboxConfig;
import dev.gantry.sandbox.PodPort;
import dev.gantry.sandbox.SandboxException;
import org.junit.jupiter.api.Test;

class CriSandboxesTest {

    private static PodSandboxConfig.Builder pod() {
        return PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName("web")
                        .setNamespace("default")
                        .setUid("u-1"));
    }

    private static void assertRefused(PodSandboxConfig.Builder pod, String message) {
        assertThatThrownBy(() -> CriSandboxes.config(pod.build()))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessage(message);
    }

    @Test
    void saysPortsAsPluginsKnowThem() {
        PodSandboxConfig.Builder pod = pod();
        pod.addPortMappingsBuilder().setProtocol(Protocol.SCTP).setContainerPort(80);
        pod.addPortMappingsBuilder().setContainerPort(81).setHostPort(8081).setHostIp("127.0.0.1");

        assertThat(CriSandboxes.config(pod.build()).ports())
                .containsExactly(new PodPort("sctp", 80, 0, ""), new PodPort("tcp", 81, 8081, "127.0.0.1"));
    }

    @Test
    void refusesNumbersThatMeanNothing() {
        PodSandboxConfig.Builder groups = pod();
        groups.getLinuxBuilder().getSecurityContextBuilder().setSupplementalGroupsPolicyValue(7);

        assertRefused(groups, "unknown supplemental groups policy 7");
        assertRefused(
                pod().addPortMappings(
                                PortMapping.newBuilder().setProtocolValue(9).setContainerPort(80)),
                "unknown protocol 9 of container port 80");
    }

    @Test
    void refusesSettingsForAnotherSystem() {
        assertRefused(
                pod().setWindows(WindowsPodSandboxConfig.getDefaultInstance()),
                "the pod has settings for Windows, and this node has Linux");
    }

    @Test
    void refusesMoreLabelsThanANodeShouldCarry() {
        assertThat(CriSandboxes.config(
                                pod().putLabels("a", "x".repeat((1 << 20) - 1)).build())
                        .labels())
                .hasSize(1);
        assertRefused(
                pod().putLabels("a", "x".repeat(1 << 19)).putAnnotations("b", "\u20ac".repeat(1 << 18)),
                "the pod's labels and annotations have 1310722 bytes together, more than 1048576");
    }
}
