package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.runtime.v1.Capability;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.RuntimeHandler;
import dev.gantry.cri.runtime.v1.StatusRequest;
import dev.gantry.cri.runtime.v1.StatusResponse;
import dev.gantry.cri.runtime.v1.UserNamespace;
import dev.gantry.linux.Mounts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Pods whose users are not the host's, and mounts that depend on what the OCI runtime can do.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UserNamespaceIT {

    private static final int HOST = 200000;
    private static final IDMapping IDS =
            IDMapping.newBuilder().setHostId(HOST).setLength(65536).build();
    private static final UserNamespace USERS = UserNamespace.newBuilder()
            .setMode(NamespaceMode.POD)
            .addUids(IDS)
            .addGids(IDS)
            .build();

    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        String runc = System.getenv("GANTRY_RUNC");
        assumeTrue(runc != null, "user namespaces need runc 1.2 or later: set GANTRY_RUNC, as hack/test does");
        node = ChildNode.create();
        node.set("runtime.handlers.runc.binary", ChildNode.quoted(Path.of(runc)));
        node.set("runtime.handlers.silent.binary", "\"/bin/false\"");
        calls = node.start().calls();
    }

    @AfterEach
    void removePods() {
        node.removePods();
    }

    @AfterAll
    void close() throws IOException {
        if (node != null) {
            node.close();
        }
    }

    private PodSandboxConfig.Builder pod(String name) {
        PodSandboxConfig.Builder pod = calls.pod(name);
        security(pod).getNamespaceOptionsBuilder().setUsernsOptions(USERS);
        return pod;
    }

    private static LinuxSandboxSecurityContext.Builder security(PodSandboxConfig.Builder pod) {
        return pod.getLinuxBuilder().getSecurityContextBuilder();
    }

    private ContainerConfig.Builder sleeper(String name) {
        ContainerConfig.Builder container = calls.sleeper(name);
        container
                .getLinuxBuilder()
                .getSecurityContextBuilder()
                .getNamespaceOptionsBuilder()
                .setUsernsOptions(USERS);
        return container;
    }

    private Path folder(String name) throws IOException {
        return Files.createDirectories(node.directory().resolve("volumes").resolve(name));
    }

    private static Mount.Builder mount(Path folder, String destination) {
        return Mount.newBuilder().setHostPath(folder.toString()).setContainerPath(destination);
    }

    /// The files of that name in the writable layers.
    private List<Path> written(String name) throws IOException {
        try (var files = Files.walk(node.root().resolve("snapshots/overlayfs"))) {
            return files.filter(it -> it.getFileName().toString().equals(name)).toList();
        }
    }

    @Test
    void rootInsideOwnsTheImageAndWritesAsAnotherUser() throws IOException {
        String pod = calls.run(pod("root"));
        String container = calls.run(pod, sleeper("main"));

        assertThat(calls.shell(container, "cat /proc/self/uid_map").split("\\s+"))
                .containsExactly("0", Integer.toString(HOST), "65536");
        assertThat(calls.shell(container, "id -u; stat -c %u:%g / /bin/busybox /etc/hosts /etc/resolv.conf /dev/shm"))
                .isEqualTo("0\n0:0\n0:0\n0:0\n0:0\n0:0");
        assertThat(calls.shell(container, "touch /tmp/marker; chown 7:8 /tmp/marker; rm /bin/ash; stat -c %u /bin"))
                .isEqualTo("0");
        assertThat(written("marker"))
                .hasSize(1)
                .allSatisfy(it -> assertThat(Files.readAttributes(it, "unix:uid,gid"))
                        .containsEntry("uid", HOST + 7)
                        .containsEntry("gid", HOST + 8));
        assertThat(calls.podStatus(pod)
                        .getStatus()
                        .getLinux()
                        .getNamespaces()
                        .getOptions()
                        .getUsernsOptions())
                .isEqualTo(USERS);
    }

    @Test
    void rootInsideOwnsTheImagesThatAreVolumesToo() {
        String pod = calls.run(pod("image"));
        ContainerConfig.Builder config = sleeper("main");
        config.addMountsBuilder()
                .setContainerPath("/volume")
                .setReadonly(true)
                .addUidMappings(IDS) // as the kubelet says for every mount of such a pod
                .addGidMappings(IDS)
                .getImageBuilder()
                .setImage(TestImages.NAME);
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "stat -c %u:%g /volume /volume/bin/busybox; /volume/bin/busybox echo runs"))
                .isEqualTo("0:0\n0:0\nruns");
        assertThat(calls.shell(container, "touch /volume/x 2>&1 || true")).contains("Read-only file system");
    }

    @Test
    void theNetworkBelongsToThePodsRoot() {
        String pod = calls.run(pod("network"));
        ContainerConfig.Builder config = sleeper("main");
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setCapabilities(Capability.newBuilder().addAddCapabilities("NET_ADMIN"));
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "ip link set lo mtu 1300; ip -o link show lo"))
                .contains("mtu 1300");
        assertThat(calls.shell(container, "ls /sys/class/net")).contains("eth0");
        assertThat(calls.shell(container, "cat /proc/sys/net/ipv4/ping_group_range")
                        .split("\\s+"))
                .containsExactly("0", "65535");
    }

    @Test
    void itsProcessesAreThoseOfAnotherUserOnTheHost() throws IOException {
        String pod = calls.run(pod("processes"));
        String container = calls.run(pod, sleeper("main"));
        ContainerConfig.Builder user = sleeper("user");
        user.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(1000));
        var _ = calls.run(pod, user);

        var _ = calls.shell(container, "true");
        List<Object> owners = node.processes().stream()
                .filter(it -> ChildNode.proc(Path.of("/proc", Long.toString(it.pid()), "cmdline"))
                        .startsWith("sleep\0"))
                .map(it -> owner(Path.of("/proc", Long.toString(it.pid()))))
                .toList();
        assertThat(owners).contains(HOST, HOST + 1000).doesNotContain(0, 1000);
    }

    private static Object owner(Path file) {
        try {
            return Files.getAttribute(file, "unix:uid");
        } catch (IOException e) {
            return e;
        }
    }

    @Test
    void volumesKeepTheOwnersThatTheyHaveOnTheHost() throws IOException {
        Path folder = folder("shared");
        Files.writeString(folder.resolve("file"), "text");
        Mount.Builder mapped = mount(folder, "/mapped").addUidMappings(IDS).addGidMappings(IDS);
        String pod = calls.run(pod("volumes"));
        String container = calls.run(pod, sleeper("main").addMounts(mapped).addMounts(mount(folder, "/plain")));

        assertThat(calls.shell(container, "touch /mapped/new; stat -c %u /mapped/file /plain/file"))
                .isEqualTo("0\n65534");
        assertThat(Files.getAttribute(folder.resolve("new"), "unix:uid")).isEqualTo(0);
        assertThat(calls.exec(container, "touch", "/plain/other").getExitCode()).isNotZero();
    }

    @Test
    void itsUsersGoWithTheHostsNetwork() {
        PodSandboxConfig.Builder pod = pod("host").setHostname("");
        security(pod).getNamespaceOptionsBuilder().setNetwork(NamespaceMode.NODE);
        ContainerConfig.Builder config = sleeper("main");
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .getNamespaceOptionsBuilder()
                .setNetwork(NamespaceMode.NODE);

        String container = calls.run(calls.run(pod), config);

        assertThat(calls.shell(container, "id -u; ls /sys/class/net")).contains("0\n", "lo");
        assertThat(calls.exec(container, "sh", "-c", "echo x > /sys/kernel/uevent_helper")
                        .getExitCode())
                .isNotZero();
    }

    @Test
    void outlivesTheDaemon() throws IOException {
        String pod = calls.run(pod("outliving"));
        String first = calls.run(pod, sleeper("first"));
        String waiting = calls.create(pod, sleeper("waiting"));

        node.kill();
        node.start();
        calls.start(waiting);
        String second = calls.run(pod, sleeper("second"));

        for (String container : List.of(first, waiting, second)) {
            assertThat(calls.shell(container, "stat -c %u /bin/busybox; touch /tmp/x; stat -c %u /tmp/x"))
                    .isEqualTo("0\n0");
        }
        node.kill();
        node.start(); // what is left is removed by a daemon that did not make it
    }

    @Test
    void leavesNothingWhenTheDaemonIsKilledWhileItIsMade() throws Exception {
        Random random = new Random();
        try (ExecutorService caller = Executors.newSingleThreadExecutor()) {
            for (int round = 0; round < 3; round++) {
                PodSandboxConfig.Builder pod = pod("killed");
                Future<?> run = caller.submit(() -> {
                    try {
                        var _ = calls.run(pod);
                    } catch (StatusRuntimeException | IllegalStateException _) {
                        // It was in the middle of it.
                    }
                });
                TimeUnit.MILLISECONDS.sleep(random.nextInt(200));
                node.kill();
                run.get();
                node.start();
                node.removePods();
            }
        }
    }

    @Test
    void isRefusedWhereItCannotBe() {
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.run(pod("silent"), "silent")))
                .contains("cannot have a user namespace with runtime handler silent", "/bin/false knows no");
        String pod = calls.run(pod("users"));
        ContainerConfig.Builder user = sleeper("main");
        user.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(70000));
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, user)))
                .contains("ids that the pod's user namespace (0:200000:65536, 0:200000:65536) does not have");
    }

    @Test
    void isAnnouncedForThoseHandlersThatHaveIt() {
        StatusResponse status =
                node.client().runtime().status(StatusRequest.newBuilder().build());

        assertThat(status.getRuntimeHandlersList().stream()
                        .collect(Collectors.toMap(
                                RuntimeHandler::getName, it -> it.getFeatures().getUserNamespaces())))
                .containsEntry("", true)
                .containsEntry("runc", true)
                .containsEntry("silent", false);
        assertThat(status.getRuntimeHandlersList().stream()
                        .filter(it -> it.getFeatures().getRecursiveReadOnlyMounts())
                        .map(RuntimeHandler::getName))
                .containsExactlyInAnyOrder("", "runc");
        assertThat(status.getFeatures().getUserNamespacesHostNetwork()).isTrue();
        assertThat(status.getFeatures().getMountOptions()).isTrue();
    }

    @Test
    void mountsAreReadOnlyThroughAndThroughOnlyWhereAskedFor() throws IOException {
        Path folder = folder("deep");
        Path inner = Files.createDirectories(folder.resolve("inner"));
        Mounts.mount(new dev.gantry.linux.Mount("tmpfs", "tmpfs", Path.of(""), List.of()), inner);
        try {
            Mount.Builder mount = mount(folder, "/shallow").setReadonly(true);
            String container = calls.run(
                    calls.run(calls.pod("readonly")),
                    calls.sleeper("main")
                            .addMounts(mount)
                            .addMounts(mount(folder, "/deep").setReadonly(true).setRecursiveReadOnly(true)));

            assertThat(calls.exec(container, "touch", "/shallow/x").getExitCode())
                    .isNotZero();
            assertThat(calls.exec(container, "touch", "/shallow/inner/x").getExitCode())
                    .isZero();
            assertThat(calls.exec(container, "touch", "/deep/inner/x").getExitCode())
                    .isNotZero();
        } finally {
            calls.removeAll();
            Mounts.detach(inner);
        }
    }

    @Test
    void mountsHaveTheOptionsThatAreAskedFor() throws IOException {
        String container = calls.run(
                calls.run(calls.pod("options")),
                calls.sleeper("main")
                        .addMounts(mount(folder("options"), "/data")
                                .addMountOptions("noexec")
                                .addMountOptions("nosuid")));

        assertThat(calls.shell(container, "grep ' /data ' /proc/self/mounts")).contains("nosuid", "noexec");
        assertThat(calls.exec(container, "sh", "-c", "cp /bin/busybox /data/sh && /data/sh true")
                        .getExitCode())
                .isNotZero();
    }
}
