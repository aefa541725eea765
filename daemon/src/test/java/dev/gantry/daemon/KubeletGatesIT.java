package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.runtime.v1.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// A real kubelet that asks more of a runtime than it does when nothing is said: statistics and metrics, events, and
/// lists as streams. These gates are closed by default in Kubernetes 1.36.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KubeletGatesIT {

    private static final String CONFIGURATION = """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        featureGates:
          PodAndContainerStatsFromCRI: true
          EventedPLEG: true
          CRIListStreaming: true
          ContainerStopSignals: true
        """;

    private static final String BUSY_POD = """
        apiVersion: v1
        kind: Pod
        metadata: {name: busy}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
            - name: main
              image: %s
              imagePullPolicy: Never
              command: [sh, -c, "echo mine >/file; while true; do :; done"]
              resources: {limits: {cpu: 100m, memory: 64Mi}}
        """.formatted(TestImages.NAME);

    private static final String SHORT_POD = """
        apiVersion: v1
        kind: Pod
        metadata: {name: short}
        spec:
          restartPolicy: Never
          containers:
            - {name: main, image: "%s", imagePullPolicy: Never, command: [sh, -c, "exit 5"]}
        """.formatted(TestImages.NAME);

    /// A user namespace, groups that the image does not add to, a volume made of an image, and a signal to stop. A
    /// kubelet without API server lets nobody ask for mounts that are read-only to their depths.
    private static final String MODERN_POD = """
        apiVersion: v1
        kind: Pod
        metadata: {name: modern}
        spec:
          os: {name: linux}
          hostUsers: false
          terminationGracePeriodSeconds: 20
          securityContext: {runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [2000], supplementalGroupsPolicy: Strict}
          volumes:
            - {name: content, image: {reference: "%1$s", pullPolicy: Never}}
            - {name: work, emptyDir: {}}
          containers:
            - name: main
              image: %1$s
              imagePullPolicy: Never
              lifecycle: {stopSignal: SIGUSR1}
              volumeMounts:
                - {name: content, mountPath: /image, subPath: bin}
                - {name: work, mountPath: /work, readOnly: true}
              command:
                - sh
                - -c
                - |
                  trap 'exit 7' USR1
                  echo groups $(id -G)
                  echo users $(cat /proc/self/uid_map)
                  echo image $(ls /image | grep -x busybox)
                  touch /work/file
                  sleep 100000 & wait
        """.formatted(TestImages.NAME);

    private ChildNode node;
    private Kubelet kubelet;

    @BeforeAll
    void start() throws IOException {
        if (!Kubelet.isBuilt()) {
            System.err.println("skipped: KubeletGatesIT needs a kubelet: run hack/tool kubelet");
        }
        assumeTrue(Kubelet.isBuilt(), "no kubelet: run hack/tool kubelet");
        String runc = System.getenv("GANTRY_RUNC");
        assumeTrue(runc != null, "user namespaces need runc 1.2 or later: set GANTRY_RUNC, as hack/test does");
        node = ChildNode.create()
                .set("log.level", "debug")
                .set("runtime.handlers.runc.binary", ChildNode.quoted(Path.of(runc)))
                .start();
        kubelet = Kubelet.on(node, CONFIGURATION);
        kubelet.run("busy", BUSY_POD);
        kubelet.awaitReady("busy");
    }

    @AfterAll
    void close() throws IOException {
        try (ChildNode _ = node;
                Kubelet _ = kubelet) {
            // the kubelet first, whatever of both was started
        }
    }

    @Test
    void theSummaryHasOurStatistics() {
        String pod = ".pods[] | select(.podRef.name == \"busy-gantry\") | ";
        String used = "[.cpu.usageNanoCores > 10000000, .memory.workingSetBytes > 0]";
        await("a window of processor time has passed")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> {
                    assertThat(summary(pod + ".containers[0] | " + used)).isEqualTo("[true,true]");
                    assertThat(summary(pod + used)).isEqualTo("[true,true]");
                });
        assertThat(summary(pod + "[.network.name, .network.rxBytes > 0, .process_stats.process_count]"))
                .isEqualTo("[\"eth0\",true,2]");
        assertThat(summary(pod + ".containers[0].rootfs | [.usedBytes > 0, .capacityBytes > .usedBytes]"))
                .isEqualTo("[true,true]");
    }

    private String summary(String filter) {
        return kubelet.json("/stats/summary", filter);
    }

    /// The kubelet asks for the names when it starts, drops what was not announced then, and refuses all at once when
    /// two are alike.
    @Test
    void itsMetricsOfContainersAreOurs() {
        List<String> lines = kubelet.get("/metrics/cadvisor").lines().toList();
        assertThat(lines)
                .anyMatch(it -> it.startsWith("container_memory_working_set_bytes{container=\"main\",")
                        && it.contains("pod=\"busy-gantry\"")
                        && it.contains("namespace=\"default\"")
                        && it.contains("image=\"" + TestImages.NAME + "\""))
                .anyMatch(it -> it.startsWith("container_network_receive_bytes_total{")
                        && it.contains("interface=\"eth0\"")
                        && it.contains("pod=\"busy-gantry\""))
                .anyMatch(it -> it.startsWith("container_tasks_state{") && it.contains("state=\"running\""));
    }

    @Test
    void eventsTellItWhatBecomesOfAPod() throws IOException {
        long before = metric("kubelet_evented_pleg_connection_latency_seconds_count");

        kubelet.run("short", SHORT_POD);

        await("it ends")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(
                                kubelet.status("short", "[.phase, .containerStatuses[0].state.terminated.exitCode]"))
                        .isEqualTo("[\"Failed\",5]"));
        assertThat(metric("kubelet_evented_pleg_connection_latency_seconds_count"))
                .as("events: a sandbox and a container made, started and stopped")
                .isGreaterThan(before + 3);
        assertThat(metric("kubelet_evented_pleg_connection_success_count")).isEqualTo(1);
        assertThat(metric("kubelet_evented_pleg_connection_error_count")).isZero();
    }

    private long metric(String name) {
        return kubelet.get("/metrics")
                .lines()
                .filter(it -> it.startsWith(name + " "))
                .mapToLong(it -> Long.parseLong(it.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void itTakesItsListsAsStreams() {
        await("it has listed")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(node.log())
                        .contains(
                                "StreamContainers status=OK",
                                "StreamPodSandboxes status=OK",
                                "StreamPodSandboxStats status=OK",
                                "StreamImages status=OK"));
        assertThat(node.log()).doesNotContain("RuntimeService/ListContainers", "RuntimeService/ListPodSandbox ");
    }

    /// What a pod may ask for that needs a runtime's help.
    @Test
    void aPodHasUsersImagesAndSignalsOfItsOwn() throws IOException {
        kubelet.run("modern", MODERN_POD);
        kubelet.awaitReady("modern");
        Container container = kubelet.container("modern", "main");

        await("it has looked around")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(
                        () -> assertThat(Files.readString(kubelet.logs("modern").resolve("main/0.log")))
                                .containsPattern("(?m)F groups 1000 2000$")
                                .containsPattern("(?m)F users +0 +[1-9][0-9]+ +65536$")
                                .containsPattern("(?m)F image busybox$")
                                .contains("Read-only file system"));
        assertThat(kubelet.status("modern", ".containerStatuses[0] | [.stopSignal, .user.linux.supplementalGroups]"))
                .isEqualTo("[\"SIGUSR1\",[1000,2000]]");

        kubelet.remove("modern");

        await("the signal has ended it")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(
                        () -> assertThat(node.calls().status(container.getId()).getExitCode())
                                .isEqualTo(7));
    }
}
