package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.PodSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// A real kubelet on top: what it makes of static pods, and what it asks of us meanwhile.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KubeletIT {

    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int RESULT = 3;

    private static final int LOG_LINES = 40_000;

    /// Always 0 in a kubelet, which has no reader of the load, and Docker's health checks.
    private static final Set<String> NOT_OURS =
            Set.of("container_cpu_load_average_10s", "container_cpu_load_d_average_10s", "container_health_state");

    private ChildNode node;
    private Kubelet kubelet;

    /// Rotates early, and waits little before it starts a container again.
    private static final String CONFIGURATION = """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        containerLogMaxSize: 1Mi
        containerLogMaxFiles: 10
        containerLogMonitorInterval: 3s
        crashLoopBackOff: {maxContainerRestartPeriod: 2s}
        """;

    @BeforeAll
    void start() throws IOException {
        if (!Kubelet.isBuilt()) {
            System.err.println("skipped: KubeletIT needs a kubelet: run hack/tool kubelet");
        }
        assumeTrue(Kubelet.isBuilt(), "no kubelet: run hack/tool kubelet");
        node = ChildNode.started();
        kubelet = Kubelet.on(node, CONFIGURATION);
        kubelet.run("steady", steadyPod());
        kubelet.run("crash", CRASHING_POD);
        kubelet.run("loud", LOUD_POD);
        for (String example : List.of("hello", "job")) {
            Path manifest = DistributionRequired.DISTRIBUTION.resolve("../../examples/" + example + "-pod.yaml");
            kubelet.run(example, Files.readString(manifest));
        }
    }

    @AfterAll
    void close() throws IOException {
        try (ChildNode _ = node;
                Kubelet _ = kubelet) {
            // the kubelet first, whatever of both was started
        }
    }

    /// One of everything: an init container that ends, one that runs beside the others, hooks, probes, volumes.
    private String steadyPod() {
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: steady}
            spec:
              terminationGracePeriodSeconds: 5
              volumes:
                - {name: work, emptyDir: {}}
                - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
                - {name: host, hostPath: {path: %1$s, type: DirectoryOrCreate}}
              initContainers:
                - name: prepare
                  image: %2$s
                  imagePullPolicy: Never
                  command: [sh, -c, "echo prepared >/work/letter"]
                  volumeMounts: [{name: work, mountPath: /work}]
                - name: beside
                  image: %2$s
                  imagePullPolicy: Never
                  restartPolicy: Always
                  command: [sh, -c, "cat /work/letter >/work/beside; trap 'exit 0' TERM; sleep 100000 & wait"]
                  startupProbe: {exec: {command: [test, -e, /work/beside]}, periodSeconds: 1}
                  volumeMounts: [{name: work, mountPath: /work}]
              containers:
                - name: main
                  image: %2$s
                  imagePullPolicy: Never
                  command: [sh, -c, "cat /work/beside; httpd -p 8080 -h /work; trap 'exit 0' TERM; sleep 100000 & wait"]
                  lifecycle:
                    postStart: {exec: {command: [sh, -c, "echo started >>/host/hooks"]}}
                    preStop: {exec: {command: [sh, -c, "echo stopping >>/host/hooks"]}}
                  readinessProbe: {httpGet: {path: /letter, port: 8080}, periodSeconds: 1}
                  livenessProbe: {exec: {command: [sh, -c, "echo alive >>/host/probes; test -e /work/letter"]}, periodSeconds: 1}
                  volumeMounts:
                    - {name: work, mountPath: /work}
                    - {name: memory, mountPath: /memory}
                    - {name: host, mountPath: /host}
            """.formatted(hostFolder(), TestImages.NAME);
    }

    private static final String CRASHING_POD = """
        apiVersion: v1
        kind: Pod
        metadata: {name: crash}
        spec:
          containers:
            - name: main
              image: %1$s
              imagePullPolicy: Never
              command: [sh, -c, "echo I fail; exit 3"]
            - name: ill
              image: %1$s
              imagePullPolicy: Never
              command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
              livenessProbe: {exec: {command: ["false"]}, periodSeconds: 1, failureThreshold: 1}
        """.formatted(TestImages.NAME);

    /// 100 bytes a line, more than three times what the log may have, over several rounds of its supervisor.
    private static final String LOUD_POD = """
        apiVersion: v1
        kind: Pod
        metadata: {name: loud}
        spec:
          restartPolicy: OnFailure
          containers:
            - name: main
              image: %s
              imagePullPolicy: Never
              command:
                - sh
                - -c
                - i=0; while [ $i -lt %d ]; do i=$((i + 1)); printf '%%0100d\\n' $i; [ $((i %% 4000)) -ne 0 ] || sleep 2; done; sleep 100000
        """.formatted(TestImages.NAME, LOG_LINES);

    private Path hostFolder() {
        return node.directory().resolve("host");
    }

    @Test
    void aPodRunsWithProbesHooksInitContainersAndVolumes() throws IOException {
        kubelet.awaitReady("steady");

        assertThat(kubelet.shell("steady", "main", "cat /work/letter /work/beside"))
                .isEqualTo("prepared\nprepared");
        assertThat(kubelet.shell("steady", "main", "stat -f -c %T /memory")).isEqualTo("tmpfs");
        assertThat(Files.readString(hostFolder().resolve("hooks"))).isEqualTo("started\n");
        assertThat(kubelet.status("steady", "[.initContainerStatuses[] | [.name, .started, .restartCount]]"))
                .isEqualTo("[[\"prepare\",false,0],[\"beside\",true,0]]");
        assertThat(kubelet.status("steady", ".containerStatuses[].image")).isEqualTo(TestImages.NAME);
        assertThat(kubelet.get(Kubelet.path("/containerLogs", "steady", "main")))
                .isEqualTo("prepared\n");
    }

    @Test
    void theExamplesRun() {
        kubelet.awaitReady("hello");
        await("the job has run")
                .atMost(ChildNode.PATIENCE)
                .until(() -> kubelet.status("job", ".phase"), it -> it.equals("Succeeded"));

        assertThat(kubelet.get(Kubelet.path("/containerLogs", "job", "report"))).contains("Left here by");
    }

    @Test
    void aContainerThatFailsIsStartedAgainAfterAWhile() {
        await("it was started again and again")
                .atMost(ChildNode.PATIENCE.multipliedBy(2))
                .until(() -> Integer.parseInt(restarts("crash", "main")) >= 3
                        && Integer.parseInt(restarts("crash", "ill")) >= 1);
        await("it is not started at once")
                .atMost(ChildNode.PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> kubelet.status("crash", state("main")), it -> it.contains("CrashLoopBackOff"));

        assertThat(kubelet.status("crash", last("main"))).isEqualTo("[3,\"Error\"]");
        assertThat(kubelet.get(Kubelet.path("/containerLogs", "crash", "main"))).contains("I fail");
    }

    private String restarts(String pod, String container) {
        return kubelet.status(
                pod,
                "([.containerStatuses[]? | select(.name == \"%s\").restartCount] | max) // 0".formatted(container));
    }

    private static String state(String container) {
        return ".containerStatuses[]? | select(.name == \"%s\").state".formatted(container);
    }

    private static String last(String container) {
        return ".containerStatuses[]? | select(.name == \"%s\").lastState.terminated | [.exitCode, .reason]"
                .formatted(container);
    }

    @Test
    void aLogThatGrowsIsRotatedAndLosesNothing() throws IOException {
        await("all lines are written")
                .atMost(ChildNode.PATIENCE.multipliedBy(3))
                .pollInterval(Duration.ofSeconds(1))
                .ignoreExceptionsInstanceOf(IOException.class) // a file is renamed while it is read
                .untilAsserted(() -> assertThat(loudLines()).hasSize(LOG_LINES));

        assertThat(loudLines())
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, LOG_LINES).boxed().toList());
        assertThat(loudFiles()).hasSizeGreaterThan(2);
    }

    /// The oldest first; the current one is `0.log`, a number in whose name the older ones have a time.
    private List<Path> loudFiles() throws IOException {
        Path folder = kubelet.logs("loud").resolve("main");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> sorted = new ArrayList<>(
                    files.filter(it -> !it.toString().endsWith(".tmp")).sorted().toList());
            if (!sorted.isEmpty()) {
                sorted.addLast(sorted.removeFirst());
            }
            return sorted;
        }
    }

    private List<Integer> loudLines() throws IOException {
        List<Integer> numbers = new ArrayList<>();
        for (Path file : loudFiles()) {
            byte[] content = Files.readAllBytes(file);
            if (file.toString().endsWith(".gz")) {
                try (var unpacked = new GZIPInputStream(Files.newInputStream(file))) {
                    content = unpacked.readAllBytes();
                }
            }
            new String(content, UTF_8)
                    .lines()
                    .map(it -> Integer.parseInt(it.split(" ", 4)[3]))
                    .forEach(numbers::add);
        }
        return numbers;
    }

    @Test
    void commandsRunThroughTheKubelet() throws InterruptedException {
        kubelet.awaitReady("steady");
        String call = Kubelet.path("/exec", "steady", "main")
                + "?input=1&output=1&error=1&command=sh&command=-c&command=cat%3B+echo+done+%3E%262%3B+exit+7";

        try (var exec = new ChannelSocket(kubelet.http(), kubelet.address().resolve(call), "v5.channel.k8s.io")) {
            exec.send(STDIN, "typed".getBytes(UTF_8));
            exec.end(STDIN);
            exec.awaitClose();

            assertThat(exec.received(STDOUT)).isEqualTo("typed");
            assertThat(exec.received(STDERR)).isEqualTo("done\n");
            assertThat(exec.received(RESULT)).contains("\"reason\":\"NonZeroExitCode\"", "\"message\":\"7\"");
        }
    }

    @Test
    void portsAreForwardedThroughTheKubelet() {
        kubelet.awaitReady("steady");
        String call = Kubelet.path("/portForward", "steady") + "?port=8080";

        try (var forward = new ChannelSocket(kubelet.http(), kubelet.address().resolve(call), "v4.channel.k8s.io")) {
            forward.send(0, "GET /letter HTTP/1.0\r\n\r\n".getBytes(UTF_8));
            forward.awaitText(0, "prepared");

            assertThat(forward.received(0)).contains("200 OK");
            assertThat(forward.received(1)).as("errors, after the port").hasSize(2);
        }
    }

    /// What a dashboard finds among the kubelet's own metrics of containers it finds among ours, which the kubelet can
    /// be told to serve in their place.
    @Test
    void itsOwnMetricsOfContainersAreAmongOurs() {
        Set<String> ours = node.calls().metricDescriptors().keySet();
        kubelet.awaitReady("steady");
        List<String> its = kubelet.get("/metrics/cadvisor")
                .lines()
                .filter(it -> it.startsWith("container_") && it.contains(",id=\"/") && !it.contains(",id=\"/\""))
                .map(it -> it.substring(0, it.indexOf('{')))
                .distinct()
                .filter(it -> !NOT_OURS.contains(it))
                .toList();

        assertThat(its).contains("container_cpu_usage_seconds_total").hasSizeGreaterThan(20);
        assertThat(ours).containsAll(its);
    }

    @Test
    void restartsOfTheDaemonAndOfTheKubeletDisturbNothing() {
        awaitSteady();
        List<String> before = steadyContainers();
        assertThat(before).as("two pods, two containers each").hasSize(6);

        node.stop();
        node.start();
        awaitSteady();
        assertThat(steadyContainers()).isEqualTo(before);

        node.kill();
        node.start();
        awaitSteady();
        assertThat(steadyContainers()).isEqualTo(before);

        kubelet.restart();
        awaitSteady();
        assertThat(steadyContainers()).isEqualTo(before);
    }

    /// Waits until the kubelet has seen the pods again, and probed one several times.
    private void awaitSteady() {
        long before = probes();
        await("probes go on").atMost(ChildNode.PATIENCE.multipliedBy(2)).until(() -> probes() > before + 3);
        kubelet.awaitReady("steady");
        kubelet.awaitReady("hello");
        assertThat(kubelet.status(
                        "steady", "[.containerStatuses[].restartCount, .initContainerStatuses[1].restartCount]"))
                .isEqualTo("[0,0]");
        assertThat(kubelet.status("hello", "[.containerStatuses[].restartCount]"))
                .isEqualTo("[0,0]");
    }

    private long probes() {
        return ChildNode.proc(hostFolder().resolve("probes")).lines().count();
    }

    /// The sandboxes and running containers of the pods that have no reason to change.
    private List<String> steadyContainers() {
        List<PodSandbox> pods = Stream.concat(kubelet.sandboxes("steady").stream(), kubelet.sandboxes("hello").stream())
                .toList();
        return Stream.concat(
                        pods.stream().map(PodSandbox::getId),
                        node.calls().containers().stream()
                                .filter(it -> it.getState() == ContainerState.CONTAINER_RUNNING)
                                .filter(it -> pods.stream()
                                        .anyMatch(pod -> pod.getId().equals(it.getPodSandboxId())))
                                .map(Container::getId))
                .sorted()
                .toList();
    }

    @Test
    void aRemovedManifestTakesEverythingOfItsPodAway() throws IOException {
        String manifest = steadyPod()
                .replace("name: steady", "name: brief")
                .replace(hostFolder().toString(), hostFolder() + "-brief");
        kubelet.run("brief", manifest);
        kubelet.awaitReady("brief");
        Path logs = kubelet.logs("brief");
        assertThat(logs).isDirectory();

        kubelet.remove("brief");

        await("all of it is gone")
                .atMost(Kubelet.COLLECTED)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    assertThat(kubelet.sandboxes("brief")).isEmpty();
                    assertThat(kubelet.status("brief", ".")).isEqualTo("{}");
                    assertThat(logs).doesNotExist();
                });
        assertThat(Files.readString(Path.of(hostFolder() + "-brief/hooks"))).isEqualTo("started\nstopping\n");
    }
}
