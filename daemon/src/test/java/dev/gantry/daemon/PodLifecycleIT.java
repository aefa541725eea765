package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerFilter;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStateValue;
import dev.gantry.cri.runtime.v1.DNSConfig;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxFilter;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStateValue;
import dev.gantry.cri.runtime.v1.PortMapping;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// What the containers of a pod share, how pods are found and named, and which states they pass.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PodLifecycleIT {

    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
    }

    @AfterEach
    void removePods() {
        node.removePods();
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    @Test
    void containersOfAPodTalkOverLocalhost() {
        String pod = calls.run(calls.pod("talking"));
        String server = calls.run(
                pod,
                calls.container(
                        "server", "sh", "-c", "mkdir /www; echo hello > /www/a; exec httpd -f -p 8080 -h /www"));
        String client = calls.run(pod, calls.sleeper("client"));

        await().atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(calls.exec(client, "wget", "-qO-", "http://127.0.0.1:8080/a")
                                .getStdout()
                                .toStringUtf8())
                        .isEqualTo("hello\n"));
        assertThat(calls.shell(server, "cat /etc/hostname; hostname")).isEqualTo("talking\ntalking");
    }

    @Test
    void containersOfAPodShareMountsAndSharedMemory() throws IOException {
        Path shared = Files.createDirectories(node.directory().resolve("shared"));
        Mount.Builder mount = Mount.newBuilder().setHostPath(shared.toString()).setContainerPath("/shared");
        String pod = calls.run(calls.pod("sharing"));
        String one = calls.run(pod, calls.sleeper("one").addMounts(mount));
        String two = calls.run(pod, calls.sleeper("two").addMounts(mount.setReadonly(true)));

        var _ = calls.shell(one, "echo first > /shared/file; echo second > /dev/shm/file");

        assertThat(calls.shell(two, "cat /shared/file /dev/shm/file")).isEqualTo("first\nsecond");
        assertThat(calls.exec(two, "touch", "/shared/other").getExitCode()).isNotZero();
        for (String namespace : List.of("ipc", "net", "uts")) {
            String link = "readlink /proc/self/ns/" + namespace;
            assertThat(calls.shell(one, link)).isEqualTo(calls.shell(two, link));
        }
    }

    @Test
    void namesAndAddressesStandInThePodsFiles() {
        PodSandboxConfig.Builder config = calls.pod("named")
                .setDnsConfig(DNSConfig.newBuilder()
                        .addServers("10.0.0.10")
                        .addSearches("test.svc")
                        .addOptions("ndots:5"));
        String pod = calls.run(config);
        String container = calls.run(pod, calls.sleeper("main"));

        String ip = calls.podStatus(pod).getStatus().getNetwork().getIp();
        assertThat(calls.shell(container, "cat /etc/hosts")).contains(ip + "\tnamed");
        assertThat(calls.shell(container, "ip -4 addr show eth0")).contains("inet " + ip + "/24");
        assertThat(calls.shell(container, "cat /etc/resolv.conf"))
                .isEqualTo("search test.svc\nnameserver 10.0.0.10\noptions ndots:5");
    }

    @Test
    void aPodMayUseTheNamespacesOfTheHost() throws IOException {
        NamespaceOption host = NamespaceOption.newBuilder()
                .setNetwork(NamespaceMode.NODE)
                .setPid(NamespaceMode.NODE)
                .setIpc(NamespaceMode.NODE)
                .build();
        String pod = calls.run(with(calls.pod("host"), host));
        ContainerConfig.Builder config = calls.sleeper("main");
        config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(host);
        String container = calls.run(pod, config);

        for (String namespace : List.of("net", "pid", "ipc")) {
            assertThat(calls.shell(container, "readlink /proc/self/ns/" + namespace))
                    .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns", namespace))
                            .toString());
        }
        assertThat(calls.podStatus(pod).getStatus().getNetwork().getIp()).isEmpty();
        assertThat(calls.shell(container, "cat /proc/self/mounts")).contains(" /dev/mqueue ");
    }

    @Test
    void aPodMayShareOneProcessNamespace() {
        NamespaceOption option =
                NamespaceOption.newBuilder().setPid(NamespaceMode.POD).build();
        String pod = calls.run(with(calls.pod("processes"), option));
        ContainerConfig.Builder config = calls.sleeper("one");
        config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(option);
        String one = calls.run(pod, config);
        String two = calls.run(
                pod, config.setMetadata(config.getMetadata().toBuilder().setName("two")));

        assertThat(calls.shell(one, "readlink /proc/self/ns/pid"))
                .isEqualTo(calls.shell(two, "readlink /proc/self/ns/pid"));
        assertThat(calls.shell(two, "cat /proc/1/comm")).isEqualTo("pause");
        calls.stop(one, 0);
        assertThat(calls.exited(one).getExitCode()).isEqualTo(137);
        assertThat(calls.status(two).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    }

    private static PodSandboxConfig.Builder with(PodSandboxConfig.Builder pod, NamespaceOption namespaces) {
        return pod.setLinux(LinuxPodSandboxConfig.newBuilder()
                .setSecurityContext(LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(namespaces)));
    }

    @Test
    void setsKernelParametersOfThePodEvenOfAnInterface() {
        PodSandboxConfig.Builder config = calls.pod("tuned")
                .setLinux(LinuxPodSandboxConfig.newBuilder()
                        .putSysctls("net.ipv4.conf.eth0.arp_ignore", "1")
                        .putSysctls("net.ipv4.ip_forward", "1")
                        .putSysctls("kernel.shm_rmid_forced", "1"));
        String pod = calls.run(config);
        String container = calls.run(pod, calls.sleeper("main"));

        assertThat(calls.shell(
                        container,
                        "cd /proc/sys; cat net/ipv4/conf/eth0/arp_ignore net/ipv4/ip_forward kernel/shm_rmid_forced"))
                .isEqualTo("1\n1\n1");
        assertThat(calls.shell(container, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"))
                .isEqualTo("0");
    }

    @Test
    void aMappedPortLeadsIntoThePod() throws IOException {
        int port = freePort();
        String pod = calls.run(calls.pod("mapped")
                .addPortMappings(PortMapping.newBuilder().setContainerPort(8080).setHostPort(port)));
        var _ = calls.run(
                pod,
                calls.container(
                        "server", "sh", "-c", "mkdir /www; echo inside > /www/a; exec httpd -f -p 8080 -h /www"));

        String gateway = calls.podStatus(pod).getStatus().getNetwork().getIp().replaceAll("\\d+$", "1");
        for (String address : List.of("127.0.0.1", gateway)) {
            await("the pod answers at " + address)
                    .atMost(ChildNode.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> fetch(address, port).endsWith("inside\n"));
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static String fetch(String address, int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 2000);
            socket.setSoTimeout(2000);
            socket.getOutputStream().write("GET /a HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    @Test
    void listsPodsByEveryFilter() {
        String one = calls.run(calls.pod("one").putLabels("app", "a").putLabels("tier", "front"));
        String two = calls.run(calls.pod("two").putLabels("app", "b"));
        calls.stopPod(two);

        assertThat(calls.pods()).extracting(it -> it.getId()).containsExactlyInAnyOrder(one, two);
        assertThat(found(PodSandboxFilter.newBuilder().setId(one.substring(0, 12))))
                .containsExactly(one);
        assertThat(found(PodSandboxFilter.newBuilder().setId("x"))).isEmpty();
        assertThat(found(PodSandboxFilter.newBuilder()
                        .setState(PodSandboxStateValue.newBuilder().setState(PodSandboxState.SANDBOX_READY))))
                .containsExactly(one);
        assertThat(found(PodSandboxFilter.newBuilder()
                        .setState(PodSandboxStateValue.newBuilder().setState(PodSandboxState.SANDBOX_NOTREADY))))
                .containsExactly(two);
        assertThat(found(PodSandboxFilter.newBuilder().putLabelSelector("app", "a")))
                .containsExactly(one);
        assertThat(found(PodSandboxFilter.newBuilder()
                        .putLabelSelector("app", "a")
                        .putLabelSelector("tier", "back")))
                .isEmpty();
        assertThat(calls.pods(PodSandboxFilter.newBuilder().setId(one)).getFirst())
                .satisfies(it -> {
                    assertThat(it.getMetadata().getName()).isEqualTo("one");
                    assertThat(it.getLabelsMap()).containsEntry("tier", "front");
                    assertThat(it.getCreatedAt()).isPositive();
                });
    }

    private List<String> found(PodSandboxFilter.Builder filter) {
        return calls.pods(filter).stream().map(it -> it.getId()).toList();
    }

    @Test
    void listsContainersByEveryFilter() {
        String pod = calls.run(calls.pod("listed"));
        String other = calls.run(calls.pod("other"));
        String created = calls.create(pod, calls.sleeper("created").putLabels("app", "a"));
        String running = calls.run(pod, calls.sleeper("running").putLabels("app", "b"));
        String exited = calls.run(other, calls.container("exited", "true").putLabels("app", "a"));
        var _ = calls.exited(exited);

        assertThat(calls.containers()).extracting(it -> it.getId()).containsExactlyInAnyOrder(created, running, exited);
        assertThat(found(ContainerFilter.newBuilder().setId(running.substring(0, 10))))
                .containsExactly(running);
        assertThat(found(ContainerFilter.newBuilder().setPodSandboxId(pod)))
                .containsExactlyInAnyOrder(created, running);
        assertThat(found(ContainerFilter.newBuilder().putLabelSelector("app", "a")))
                .containsExactlyInAnyOrder(created, exited);
        assertThat(found(inState(ContainerState.CONTAINER_CREATED))).containsExactly(created);
        assertThat(found(inState(ContainerState.CONTAINER_RUNNING))).containsExactly(running);
        assertThat(found(inState(ContainerState.CONTAINER_EXITED))).containsExactly(exited);
        assertThat(found(inState(ContainerState.CONTAINER_EXITED).setPodSandboxId(pod)))
                .isEmpty();
    }

    private static ContainerFilter.Builder inState(ContainerState state) {
        return ContainerFilter.newBuilder()
                .setState(ContainerStateValue.newBuilder().setState(state));
    }

    private List<String> found(ContainerFilter.Builder filter) {
        return calls.containers(filter).stream().map(it -> it.getId()).toList();
    }

    @Test
    void whatIsUnknownHasNoStatusButIsStoppedAndRemoved() {
        String unknown = "0123456789abcdef";

        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.podStatus(unknown)))
                .contains(unknown);
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.status(unknown))).contains(unknown);
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.start(unknown))).contains(unknown);
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.exec(unknown, "true")))
                .contains(unknown);
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.create(unknown, calls.sleeper("main"))))
                .contains(unknown);
        calls.stop(unknown, 1);
        calls.remove(unknown);
        calls.stopPod(unknown);
        calls.removePod(unknown);
    }

    @Test
    void aNameIsTakenUntilItsHolderIsRemoved() {
        PodSandboxConfig.Builder config = calls.pod("taken");
        String pod = calls.run(config);
        String container = calls.create(pod, calls.sleeper("main"));

        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.run(config))).contains("taken_test", pod);
        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.create(pod, calls.sleeper("main"))))
                .contains("main_taken_test", container);
        calls.remove(container);
        assertThat(calls.create(pod, calls.sleeper("main"))).isNotEqualTo(container);
        calls.stopPod(pod);
        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.run(config))).contains(pod);
        calls.removePod(pod);
        assertThat(calls.run(config)).isNotEqualTo(pod);
    }

    @Test
    void refusesWhatTheStateDoesNotAllow() {
        String pod = calls.run(calls.pod("states"));
        String created = calls.create(pod, calls.sleeper("created"));
        String ended = calls.run(pod, calls.container("ended", "true"));
        var _ = calls.exited(ended);
        String running = calls.run(pod, calls.sleeper("running"));

        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.exec(created, "true")))
                .contains(created);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.exec(ended, "true")))
                .contains(ended);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.start(running)))
                .contains(running);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.start(ended)))
                .contains(ended);
        calls.stopPod(pod);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.start(created)))
                .contains(created, pod);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.create(pod, calls.sleeper("late"))))
                .contains("late", pod);
    }

    @Test
    void stoppingAPodStopsItsContainersAndIsRepeatable() {
        String pod = calls.run(calls.pod("stopped"));
        String container = calls.run(pod, calls.sleeper("main"));

        calls.stopPod(pod);
        calls.stopPod(pod);

        assertThat(calls.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        assertThat(node.processes())
                .extracting(ProcessHandle::info)
                .allSatisfy(it -> assertThat(it.command())
                        .hasValueSatisfying(command -> assertThat(command).contains("shim")));
        calls.removePod(pod);
        calls.removePod(pod);
        assertThat(calls.containers()).isEmpty();
    }
}
