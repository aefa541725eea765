package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.UserNamespace;
import dev.gantry.linux.IdMapping;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.UserIds;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerNamespacesTest {

    private static final Sandbox POD = TestPods.sandbox();
    private static final Sandbox HOST_POD = TestPods.sandbox(TestPods.HOST, false, Map.of());

    private final ContainerNamespaces namespaces = new ContainerNamespaces(id -> switch (id) {
        case "friend" -> Optional.of(container(id, POD.id(), ContainerState.RUNNING));
        case "ended" -> Optional.of(container(id, POD.id(), ContainerState.EXITED));
        case "stranger" -> Optional.of(container(id, SandboxId.random(), ContainerState.RUNNING));
        default -> Optional.empty();
    });

    private static NamespaceOption option(NamespaceMode network, NamespaceMode pid, NamespaceMode ipc) {
        return NamespaceOption.newBuilder()
                .setNetwork(network)
                .setPid(pid)
                .setIpc(ipc)
                .build();
    }

    private static NamespaceOption target(String id) {
        return NamespaceOption.newBuilder()
                .setPid(NamespaceMode.TARGET)
                .setTargetId(id)
                .build();
    }

    private static Container container(String id, SandboxId sandbox, ContainerState state) {
        return new Container(
                id,
                sandbox,
                id,
                ContainerConfig.getDefaultInstance(),
                "",
                "",
                "overlayfs",
                state,
                Instant.EPOCH,
                Optional.empty(),
                Optional.empty(),
                0,
                "",
                "",
                77,
                "boot",
                "",
                new ContainerUser(0, 0, List.of()),
                LinuxContainerResources.getDefaultInstance(),
                15,
                "/x",
                List.of());
    }

    @Test
    void areThoseOfThePod() {
        assertThat(namespaces.of(NamespaceOption.getDefaultInstance(), POD, false))
                .containsExactly(
                        new Linux.Namespace("pid", "/proc/4242/ns/pid"),
                        new Linux.Namespace("ipc", "/proc/4242/ns/ipc"),
                        new Linux.Namespace("uts", "/proc/4242/ns/uts"),
                        new Linux.Namespace("mount"),
                        new Linux.Namespace("network", "/proc/4242/ns/net"));
    }

    @Test
    void areTheHostsWhereThePodHasThem() {
        List<Linux.Namespace> expected = List.of(new Linux.Namespace("mount"));

        assertThat(namespaces.of(NamespaceOption.getDefaultInstance(), HOST_POD, false))
                .isEqualTo(expected);
        assertThat(namespaces.of(option(NamespaceMode.NODE, NamespaceMode.NODE, NamespaceMode.NODE), HOST_POD, false))
                .isEqualTo(expected);
    }

    @Test
    void includeAProcessNamespaceOfItsOwnOrOfAnotherContainer() {
        NamespaceOption own = option(NamespaceMode.POD, NamespaceMode.CONTAINER, NamespaceMode.POD);

        assertThat(namespaces.of(own, POD, false)).contains(new Linux.Namespace("pid"));
        assertThat(namespaces.of(target("friend"), POD, false)).contains(new Linux.Namespace("pid", "/proc/77/ns/pid"));
    }

    @Test
    void includeACgroupNamespaceWhereAskedFor() {
        assertThat(namespaces.of(NamespaceOption.getDefaultInstance(), POD, true))
                .endsWith(new Linux.Namespace("cgroup"));
    }

    @Test
    void neverLeadOutOfThePod() {
        assertRefused(option(NamespaceMode.NODE, NamespaceMode.POD, NamespaceMode.POD), "network namespace mode NODE");
        assertRefused(option(NamespaceMode.POD, NamespaceMode.NODE, NamespaceMode.POD), "pid namespace mode NODE");
        assertRefused(option(NamespaceMode.POD, NamespaceMode.POD, NamespaceMode.NODE), "ipc namespace mode NODE");
        assertRefused(
                option(NamespaceMode.CONTAINER, NamespaceMode.POD, NamespaceMode.POD),
                "network namespace mode CONTAINER");
    }

    @Test
    void needATargetThatRunsInTheSamePod() {
        assertRefused(target("stranger"), "target container \"stranger\"");
        assertRefused(target("nobody"), "target container \"nobody\"");
        assertThatThrownBy(() -> namespaces.of(target("ended"), POD, false))
                .isInstanceOf(ContainerException.WrongState.class)
                .hasMessage("target container ended of the pid namespace does not run");
    }

    private static NamespaceOption users(UserNamespace.Builder users) {
        return NamespaceOption.newBuilder().setUsernsOptions(users).build();
    }

    private static UserNamespace.Builder users(int host) {
        IDMapping mapping =
                IDMapping.newBuilder().setHostId(host).setLength(65536).build();
        return UserNamespace.newBuilder()
                .setMode(NamespaceMode.POD)
                .addUids(mapping)
                .addGids(mapping);
    }

    @Test
    void includeThePodsUsersWhoeverAsksForThemOrSaysNothing() {
        IdMapping ids = new IdMapping(0, 100000, 65536);
        Sandbox pod = TestPods.sandbox(
                new SandboxNamespaces(
                        dev.gantry.sandbox.NamespaceMode.POD,
                        dev.gantry.sandbox.NamespaceMode.CONTAINER,
                        dev.gantry.sandbox.NamespaceMode.POD,
                        Optional.of(new UserIds(ids, ids))),
                false,
                Map.of());
        Linux.Namespace pods = new Linux.Namespace("user", "/proc/4242/ns/user");

        assertThat(namespaces.of(NamespaceOption.getDefaultInstance(), pod, false))
                .contains(pods);
        assertThat(namespaces.of(users(users(100000)), pod, false)).contains(pods);
        for (UserNamespace.Builder other :
                List.of(users(200000), UserNamespace.newBuilder().setMode(NamespaceMode.NODE))) {
            assertThatThrownBy(() -> namespaces.of(users(other), pod, false))
                    .isInstanceOf(ContainerException.InvalidRequest.class)
                    .hasMessageContaining("has ids 0:100000:65536 and 0:100000:65536");
        }
    }

    @Test
    void includeNoUsersOfTheirOwn() {
        assertRefused(users(users(100000)), "the user namespace of a container must be that of its pod");
        assertThat(namespaces.of(users(UserNamespace.newBuilder().setMode(NamespaceMode.NODE)), POD, false))
                .noneMatch(it -> it.type().equals("user"));
    }

    private void assertRefused(NamespaceOption option, String message) {
        assertThatThrownBy(() -> namespaces.of(option, POD, false))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageStartingWith(message);
    }
}
