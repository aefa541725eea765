package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.UserNamespace;
import dev.gantry.linux.IdMapping;
import dev.gantry.sandbox.SandboxConfig;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.UserIds;
import org.junit.jupiter.api.Test;

/// Which user namespaces a pod may ask for.
class PodUsersTest {

    private static final IDMapping RIGHT = mapping(0, 100000, 65536);

    private static IDMapping mapping(int container, int host, int length) {
        return IDMapping.newBuilder()
                .setContainerId(container)
                .setHostId(host)
                .setLength(length)
                .build();
    }

    private static UserNamespace.Builder users(NamespaceMode mode) {
        return UserNamespace.newBuilder().setMode(mode);
    }

    private static SandboxConfig pod(NamespaceOption.Builder options) {
        return CriSandboxes.config(PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName("web")
                        .setNamespace("default")
                        .setUid("u-1"))
                .setLinux(LinuxPodSandboxConfig.newBuilder()
                        .setSecurityContext(
                                LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(options)))
                .build());
    }

    private static SandboxConfig pod(UserNamespace.Builder users) {
        return pod(NamespaceOption.newBuilder().setUsernsOptions(users));
    }

    private static void assertRefused(UserNamespace.Builder users, String message) {
        assertThatThrownBy(() -> pod(users))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining(message);
    }

    @Test
    void areTheHostsUnlessItSaysOtherwise() {
        assertThat(pod(NamespaceOption.newBuilder()).namespaces().users()).isEmpty();
        assertThat(pod(users(NamespaceMode.NODE)).namespaces().users()).isEmpty();
    }

    @Test
    void haveOneMappingEach() {
        UserNamespace.Builder asked = users(NamespaceMode.POD).addUids(RIGHT).addGids(mapping(0, 200000, 10));

        SandboxConfig pod = pod(asked);

        assertThat(pod.namespaces().users())
                .hasValue(new UserIds(new IdMapping(0, 100000, 65536), new IdMapping(0, 200000, 10)));
        assertThat(CriSandboxes.message(pod)
                        .getLinux()
                        .getSecurityContext()
                        .getNamespaceOptions()
                        .getUsernsOptions())
                .isEqualTo(asked.build());
        assertRefused(users(NamespaceMode.POD), "needs exactly one mapping of user ids, not 0");
        assertRefused(users(NamespaceMode.POD).addUids(RIGHT), "needs exactly one mapping of group ids, not 0");
        assertRefused(
                users(NamespaceMode.POD).addUids(RIGHT).addUids(RIGHT).addGids(RIGHT),
                "needs exactly one mapping of user ids, not 2");
    }

    @Test
    void beginWithRootAndStayAmongTheIdsThereAre() {
        assertRefused(
                users(NamespaceMode.POD).addUids(mapping(1, 1000, 10)).addGids(RIGHT),
                "must begin with its root, id 0, not with user 1");
        assertRefused(users(NamespaceMode.POD).addUids(mapping(0, 1000, 0)).addGids(RIGHT), "0:1000:0 is empty");
        assertRefused(
                users(NamespaceMode.POD).addUids(mapping(0, -2, 10)).addGids(RIGHT),
                "id mapping 0:4294967294:10 is empty or has ids that are not between 0 and 4294967294");
    }

    @Test
    void areOfThePodOrOfTheNode() {
        assertRefused(users(NamespaceMode.CONTAINER), "a pod's user namespace is POD or NODE, not CONTAINER");
        assertRefused(users(NamespaceMode.TARGET), "a pod's user namespace is POD or NODE, not TARGET");
        assertRefused(users(NamespaceMode.NODE).addUids(RIGHT), "it cannot have mappings");
    }

    @Test
    void goWithTheHostsNetworkButNotWithItsProcesses() {
        UserNamespace.Builder users = users(NamespaceMode.POD).addUids(RIGHT).addGids(RIGHT);

        assertThat(pod(NamespaceOption.newBuilder()
                                .setNetwork(NamespaceMode.NODE)
                                .setUsernsOptions(users))
                        .namespaces()
                        .users())
                .isPresent();
        assertThatThrownBy(() -> pod(
                        NamespaceOption.newBuilder().setPid(NamespaceMode.NODE).setUsernsOptions(users)))
                .hasMessageContaining("cannot use the host's pid or ipc namespace");
        assertThatThrownBy(() -> pod(
                        NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE).setUsernsOptions(users)))
                .hasMessageContaining("cannot use the host's pid or ipc namespace");
    }
}
