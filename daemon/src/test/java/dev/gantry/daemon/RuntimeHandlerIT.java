package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import dev.gantry.cri.runtime.v1.RuntimeHandler;
import dev.gantry.cri.runtime.v1.StatusRequest;
import dev.gantry.cri.runtime.v1.StatusResponse;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Several runtime handlers on one node, each with settings of its own.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RuntimeHandlerIT {

    private static final String SPECIAL = "special";

    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.create();
        Path base = Files.writeString(node.directory().resolve("base.json"), """
            {"ociVersion": "1.2.0",
             "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["FROM_BASE=yes", "HOME=/base"],
                         "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 321, "hard": 654}]},
             "mounts": [{"destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]}]}
            """);
        Path old = Files.writeString(
                node.directory().resolve("old-runc"),
                "#!/bin/sh\necho '{\"annotations\": {\"org.opencontainers.runc.version\": \"1.2.5\"}}'\n");
        Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwxr-xr-x"));
        String handler = "runtime.handlers." + SPECIAL;
        node.set(handler + ".base_spec", ChildNode.quoted(base));
        node.set(handler + ".privileged_without_host_devices", "true");
        node.set(handler + ".root", ChildNode.quoted(node.state().resolve("special-runc")));
        node.set(handler + ".allowed_annotations", "[\"pod.test/*\"]");
        node.set(handler + ".allowed_container_annotations", "[\"container.test/*\"]");
        node.set("runtime.handlers.old.binary", ChildNode.quoted(old));
        Path slow = Files.writeString(node.directory().resolve("slow-runc"), """
            #!/bin/sh
            case " $* " in *' exec '*) ;; *) exec runc "$@" ;; esac
            sleep 3
            runc "$@"
            code=$?
            touch %s
            exit $code
            """.formatted(executed()));
        Files.setPosixFilePermissions(slow, PosixFilePermissions.fromString("rwxr-xr-x"));
        node.set("runtime.handlers.slow.binary", ChildNode.quoted(slow));
        calls = node.start().calls();
    }

    @AfterEach
    void removePods() {
        node.removePods();
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private Path executed() {
        return node.directory().resolve("executed");
    }

    private StatusResponse status() {
        return node.client()
                .runtime()
                .status(StatusRequest.newBuilder().setVerbose(true).build());
    }

    /// The client waits no longer than it has said, and what begins after that does not go on.
    @Test
    void aCommandThatBeginsTooLateIsKilled() {
        String container = calls.run(calls.run(calls.pod("slow"), "slow"), calls.sleeper("main"));
        ExecSyncRequest request = ExecSyncRequest.newBuilder()
                .setContainerId(container)
                .addAllCmd(List.of("sleep", "12361"))
                .setTimeout(1)
                .build();

        assertThat(refused(
                        Status.Code.DEADLINE_EXCEEDED,
                        () -> node.client().runtime().execSync(request)))
                .contains("killed after 1 s");

        assertThat(executed()).doesNotExist();
        await("the command has begun").atMost(ChildNode.PATIENCE).until(() -> Files.exists(executed()));
        await("the command has ended")
                .atMost(ChildNode.PATIENCE)
                .until(() -> ProcessHandle.allProcesses()
                        .noneMatch(it -> it.info().commandLine().orElse("").contains("sleep 12361")));
        assertThat(node.log()).doesNotContain("cannot signal a command", "did not delete an ended command");
    }

    @Test
    void containersStartFromItsBaseSpec() {
        String special = calls.run(calls.run(calls.pod("special"), SPECIAL), calls.sleeper("main"));
        String plain = calls.run(calls.run(calls.pod("plain")), calls.sleeper("main"));

        String script = "ulimit -n; echo $FROM_BASE; grep -c ' /scratch tmpfs' /proc/self/mounts";
        assertThat(calls.shell(special, script)).isEqualTo("321\nyes\n1");
        assertThat(calls.exec(plain, "sh", "-c", script).getStdout().toStringUtf8())
                .doesNotContain("321", "yes")
                .endsWith("\n0\n");
        assertThat(node.state().resolve("special-runc")).isDirectory();
    }

    @Test
    void privilegedContainersGoWithoutTheHostsDevices() {
        assertThat(devices(SPECIAL)).isLessThan(devices(""));
    }

    private int devices(String handler) {
        PodSandboxConfig.Builder pod = calls.pod("devices");
        pod.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
        ContainerConfig.Builder container = calls.sleeper("main");
        container.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
        String id = calls.run(calls.run(pod, handler), container);
        return Integer.parseInt(calls.shell(id, "ls /dev | wc -l"));
    }

    @Test
    void annotationsReachTheRuntimeByItsLists() throws IOException {
        PodSandboxConfig.Builder config =
                calls.pod("annotated").putAnnotations("pod.test/a", "1").putAnnotations("container.test/a", "2");
        String pod = calls.run(config, SPECIAL);
        String container = calls.run(
                pod, calls.sleeper("main").putAnnotations("pod.test/b", "3").putAnnotations("container.test/b", "4"));

        assertThat(Files.readString(node.state().resolve("tasks").resolve(pod).resolve("config.json")))
                .contains("\"pod.test/a\"")
                .doesNotContain("\"container.test/a\"");
        assertThat(Files.readString(
                        node.state().resolve("tasks").resolve(container).resolve("config.json")))
                .contains("\"pod.test/a\"", "\"container.test/b\"")
                .doesNotContain("\"container.test/a\"", "\"pod.test/b\"");
    }

    @Test
    void isRefusedWhereItIsNotConfigured() {
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.run(calls.pod("stranger"), "stranger")))
                .contains("runtime handler \"stranger\" is not configured");
    }

    @Test
    void allAreListedWithTheDefaultAlsoWithoutAName() {
        StatusResponse status = status();

        assertThat(status.getRuntimeHandlersList())
                .extracting(RuntimeHandler::getName)
                .containsExactlyInAnyOrder("", "runc", SPECIAL, "old", "slow");
        assertThat(status.getInfoOrThrow("config"))
                .contains("\"stateDir\":\"" + node.state() + "\"", "\"defaultRuntimeName\":\"runc\"");
    }

    @Test
    void anOldRuncIsToldOfAndUsedAllTheSame() {
        RuntimeCondition condition = status().getStatus().getConditionsList().stream()
                .filter(it -> it.getType().equals("NoKnownFlaws"))
                .findFirst()
                .orElseThrow();

        assertThat(condition.getStatus()).isFalse();
        assertThat(condition.getReason()).isEqualTo("OldRuntime");
        assertThat(condition.getMessage()).contains("old: runc 1.2.5 lets containers out (CVE-2025-31133");
        assertThat(status().getStatus().getConditionsList())
                .filteredOn(it -> it.getType().equals("RuntimeReady"))
                .allMatch(RuntimeCondition::getStatus);
    }
}
