package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// What `crictl` shows of pods and containers, and what it makes of them.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrictlIT {

    private static final String SERVE = "trap 'exit 7' TERM; echo one; echo two >&2; echo three; sleep 3600 & wait";

    private ChildNode node;
    private Crictl crictl;
    private int pods;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        crictl = Crictl.of(node);
    }

    @AfterEach
    void removePods() {
        node.removePods();
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private String podFile() throws IOException {
        String name = "pod" + ++pods;
        Path logs = node.directory().resolve("logs").resolve(name);
        return crictl.write(name + ".json", """
            {"metadata": {"name": "%s", "namespace": "test", "uid": "%s"}, "log_directory": "%s",
             "labels": {"app": "%s"}}
            """.formatted(name, name, logs, name));
    }

    private String containerFile(String script) throws IOException {
        return crictl.write("container.json", """
            {"metadata": {"name": "main"}, "image": {"image": "%s"}, "command": ["sh", "-c", "%s"],
             "log_path": "main.log", "labels": {"part": "main"},
             "linux": {"security_context": {"namespace_options": {"pid": 1}}}}
            """.formatted(TestImages.NAME, script));
    }

    private String runContainer(String script) throws IOException, InterruptedException {
        return crictl.run("run", "--no-pull", containerFile(script), podFile());
    }

    @Test
    void leadsAPodThroughItsLife() throws IOException, InterruptedException {
        String podFile = podFile();
        String pod = crictl.run("runp", podFile);
        assertThat(crictl.json("pods", "-o", "json", "--state", "ready")
                        .at("items")
                        .items())
                .singleElement()
                .satisfies(it -> {
                    assertThat(it.at("id").text()).isEqualTo(pod);
                    assertThat(it.at("state").text()).isEqualTo("SANDBOX_READY");
                    assertThat(it.at("metadata", "namespace").text()).isEqualTo("test");
                });

        String container = crictl.run("create", "--no-pull", pod, containerFile(SERVE), podFile);
        assertThat(crictl.json("ps", "-o", "json").at("containers").items()).isEmpty();
        assertThat(state(container)).isEqualTo("CONTAINER_CREATED");
        assertThat(crictl.run("start", container)).isEqualTo(container);
        assertThat(crictl.json("ps", "-o", "json", "--pod", pod)
                        .at("containers")
                        .items())
                .singleElement()
                .satisfies(it -> {
                    assertThat(it.at("state").text()).isEqualTo("CONTAINER_RUNNING");
                    assertThat(it.at("labels", "part").text()).isEqualTo("main");
                    assertThat(it.at("podSandboxId").text()).isEqualTo(pod);
                });
        assertThat(crictl.run("exec", "--sync", container, "echo", "here")).isEqualTo("here");
        assertThat(crictl.end("exec", "--sync", container, "sh", "-c", "exit 5").code())
                .isEqualTo(1);

        crictl.run("stop", "--timeout", "20", container);
        JsonTree ended = crictl.json("inspect", container);
        assertThat(ended.at("status", "state").text()).isEqualTo("CONTAINER_EXITED");
        assertThat(ended.at("status", "exitCode").text()).isEqualTo("7");
        assertThat(ended.at("status", "reason").text()).isEqualTo("Error");
        crictl.run("rm", container);
        assertThat(crictl.json("ps", "-a", "-o", "json").at("containers").items())
                .isEmpty();

        crictl.run("stopp", pod);
        assertThat(crictl.json("inspectp", pod).at("status", "state").text()).isEqualTo("SANDBOX_NOTREADY");
        crictl.run("rmp", pod);
        assertThat(crictl.json("pods", "-o", "json").at("items").items()).isEmpty();
        assertThat(crictl.end("inspectp", pod).code()).isNotZero();
        assertThat(crictl.end("inspect", container).errors()).contains("NotFound");
    }

    private String state(String container) throws IOException, InterruptedException {
        return crictl.json("inspect", container).at("status", "state").text();
    }

    @Test
    void inspectsWhatRuns() throws IOException, InterruptedException {
        String container = runContainer(SERVE);

        JsonTree inspected = crictl.json("inspect", container);
        String pod = inspected.at("info", "sandboxID").text();
        assertThat(inspected.at("status", "image", "image").text()).isEqualTo(TestImages.NAME);
        assertThat(inspected.at("status", "imageId").text()).startsWith("sha256:");
        assertThat(inspected.at("status", "logPath").text()).endsWith("/main.log");
        assertThat(inspected.at("status", "user", "linux", "uid").text()).isEqualTo("0");
        assertThat(Long.parseLong(inspected.at("info", "pid").text())).isPositive();
        assertThat(inspected.at("info", "runtimeSpec", "process", "args", 2).text())
                .isEqualTo(SERVE);
        assertThat(inspected.at("info", "config", "metadata", "name").text()).isEqualTo("main");
        assertThat(inspected.at("info", "snapshotKey").text()).isEqualTo(container);
        assertThat(inspected.at("info", "snapshotter").text()).isEqualTo("overlayfs");
        assertThat(inspected.at("info", "removing").text()).isEqualTo("false");
        assertThat(inspected.at("info", "runtimeType").text()).contains("shim");
        assertThat(inspected.at("info", "runtimeOptions", "binaryName").text()).contains("runc");

        JsonTree sandbox = crictl.json("inspectp", pod);
        assertThat(sandbox.at("status", "network", "ip").text()).startsWith(node.subnet() + ".");
        assertThat(sandbox.at("status", "state").text()).isEqualTo("SANDBOX_READY");
        assertThat(Long.parseLong(sandbox.at("info", "pid").text())).isPositive();
        assertThat(sandbox.at("info", "processStatus").text()).isEqualTo("running");
        assertThat(sandbox.at("info", "netNamespaceClosed").text()).isEqualTo("false");
        assertThat(sandbox.at("info", "cniResult", "ips", 0, "address").text())
                .startsWith(sandbox.at("status", "network", "ip").text());
        assertThat(sandbox.at("info", "config", "metadata", "uid").text()).startsWith("pod");
        assertThat(sandbox.at("info", "runtimeSpec", "ociVersion").text()).startsWith("1.");

        crictl.run("stopp", pod);
        assertThat(crictl.json("inspectp", pod).at("info", "netNamespaceClosed").text())
                .isEqualTo("true");
    }

    @Test
    void readsLogs() throws IOException, InterruptedException {
        String container = runContainer(SERVE);

        // The two streams are two pipes, so their lines may come into the log in any order.
        await("all is logged").atMost(ChildNode.PATIENCE).untilAsserted(() -> {
            Crictl.Ended all = crictl.end("logs", container);
            assertThat(all.output()).isEqualTo("one\nthree\n");
            assertThat(all.errors()).isEqualTo("two\n");
        });
        Crictl.Ended last = crictl.end("logs", "--tail", "1", container);
        assertThat(last.output() + last.errors()).isIn("two\n", "three\n");
        assertThat(crictl.run("logs", "--stream", "stderr", container)).isEmpty();
        assertThat(crictl.run("logs", "--since", "1h", "--timestamps", container))
                .containsPattern("^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+\\S+ one");
        assertThat(crictl.run("logs", "--since", "2200-01-01T00:00:00Z", container))
                .isEmpty();

        Crictl.Running following = crictl.start("logs", "-f", container);
        await("it follows")
                .atMost(ChildNode.PATIENCE)
                .until(() -> following.printed().contains("three"));
        crictl.run("stop", container);
        assertThat(following.end().output()).isEqualTo("one\nthree\n");
    }

    @Test
    void updatesTheLimitsOfAContainer() throws IOException, InterruptedException {
        String container = runContainer(SERVE);

        crictl.run("update", "--memory", "67108864", "--cpu-quota", "30000", "--cpu-period", "100000", container);

        JsonTree resources = crictl.json("inspect", container).at("status", "resources", "linux");
        assertThat(resources.at("memoryLimitInBytes").text()).isEqualTo("67108864");
        assertThat(resources.at("cpuQuota").text()).isEqualTo("30000");
        assertThat(crictl.end("update", "--cpuset-cpus", "none", container).errors())
                .contains("cpuset_cpus", "none");
    }

    @Test
    void tellsWhatContainersAndPodsUse() throws IOException, InterruptedException {
        String container = runContainer(SERVE);
        String pod = crictl.json("inspect", container).at("info", "sandboxID").text();

        JsonTree stats = crictl.json("stats", "-o", "json", "--id", container).at("stats", 0);
        assertThat(stats.at("attributes", "id").text()).isEqualTo(container);
        assertThat(Long.parseLong(stats.at("memory", "workingSetBytes", "value").text()))
                .isPositive();
        assertThat(stats.at("writableLayer", "fsId", "mountpoint").text())
                .startsWith(node.root().toString());

        JsonTree ofPod = crictl.json("statsp", "-o", "json", "--id", pod).at("stats", 0);
        assertThat(ofPod.at("attributes", "id").text()).isEqualTo(pod);
        assertThat(ofPod.at("linux", "network", "defaultInterface", "name").text())
                .isEqualTo("eth0");
        assertThat(ofPod.at("linux", "containers", 0, "attributes", "id").text())
                .isEqualTo(container);

        assertThat(crictl.json("metricdescs", "-o", "json").at("descriptors").items())
                .extracting(it -> it.at("name").text())
                .contains("container_memory_working_set_bytes", "container_cpu_usage_seconds_total");
        assertThat(crictl.run("metricsp", "-o", "json")).contains(pod, "container_memory_working_set_bytes");
    }

    @Test
    void tellsOfEvents() throws IOException, InterruptedException {
        Crictl.Running events = crictl.start("events");
        try {
            // A subscriber sees what happens after it came; when that was, only its first event tells.
            String container = await("an event is seen")
                    .atMost(ChildNode.PATIENCE)
                    .until(() -> runContainer(SERVE), it -> events.printed().contains(it));
            crictl.run("stop", container);

            await("its end is seen")
                    .atMost(ChildNode.PATIENCE)
                    .untilAsserted(() -> assertThat(events.printed())
                            .contains("CONTAINER_STARTED_EVENT", "CONTAINER_STOPPED_EVENT"));
        } finally {
            events.process().destroy();
        }
    }

    @Test
    void refusesCheckpoints() throws IOException, InterruptedException {
        String container = runContainer(SERVE);

        Crictl.Ended refused = crictl.end("checkpoint", "--export", "/nowhere/checkpoint.tar", container);

        assertThat(refused.code()).isNotZero();
        assertThat(refused.errors()).contains("Unimplemented", "makes no checkpoints");
        assertThat(state(container)).isEqualTo("CONTAINER_RUNNING");
    }

    @Test
    void tellsOfTheNode() throws IOException, InterruptedException {
        assertThat(crictl.run("version"))
                .containsPattern("RuntimeName: +gantry")
                .containsPattern("Version: +0.1.0")
                .containsPattern("RuntimeApiVersion: +v1");

        JsonTree info = crictl.json("info", "-o", "json");
        assertThat(info.at("status", "conditions").items())
                .extracting(it -> it.at("type").text() + "=" + it.at("status").text())
                .contains("RuntimeReady=true", "NetworkReady=true");
        assertThat(info.at("runtimeHandlers").items())
                .extracting(it -> it.at("name").text())
                .contains("runc");

        assertThat(crictl.run("runtime-config")).containsPattern("cgroup driver: *(CGROUPFS|SYSTEMD)");
        crictl.run("update-runtime-config", "--pod-cidr", node.subnet() + ".0/24");
        assertThat(crictl.end("update-runtime-config", "--pod-cidr", "nonsense").errors())
                .contains("nonsense", "InvalidArgument");
        assertThat(crictl.run("config", "--get", "timeout")).isEqualTo("60");

        JsonTree usage = crictl.json("imagefsinfo", "-o", "json");
        assertThat(usage.at("status", "imageFilesystems", 0, "fsId", "mountpoint")
                        .text())
                .startsWith(node.root().toString());
        assertThat(Long.parseLong(usage.at("status", "imageFilesystems", 0, "usedBytes", "value")
                        .text()))
                .isPositive();
    }
}
