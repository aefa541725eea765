package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ActionCommandsTest {

    private static final String POD = "ab".repeat(32);
    private static final String OTHER_POD = "ac".repeat(32);
    private static final String SERVER = "1b".repeat(32);
    private static final String OLD_SERVER = "1c".repeat(32);
    private static final String OTHER_SERVER = "2d".repeat(32);

    @TempDir
    private Path directory;

    private FakeNode node;
    private CommandRun gantry;

    @BeforeEach
    void start() {
        node = new FakeNode(directory);
        gantry = new CommandRun(node.socket());
        pod(POD, "web", "default");
        pod(OTHER_POD, "web", "testing");
        container(OLD_SERVER, POD, 0, ContainerState.CONTAINER_EXITED);
        container(SERVER, POD, 1, ContainerState.CONTAINER_EXITED);
        container(OTHER_SERVER, OTHER_POD, 0, ContainerState.CONTAINER_EXITED);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private void pod(String id, String name, String namespace) {
        node.runtime.pods.put(
                id,
                PodSandboxConfig.newBuilder()
                        .setMetadata(PodSandboxMetadata.newBuilder()
                                .setName(name)
                                .setNamespace(namespace)
                                .setUid("uid"))
                        .build());
        node.runtime.states.put(id, PodSandboxState.SANDBOX_READY);
    }

    private FakeContainer container(String id, String pod, int attempt, ContainerState state) {
        var container = new FakeContainer(
                id,
                pod,
                ContainerConfig.newBuilder()
                        .setMetadata(
                                ContainerMetadata.newBuilder().setName("server").setAttempt(attempt))
                        .build(),
                directory.resolve(id + ".log"));
        container.state = state;
        node.runtime.containers.put(id, container);
        return container;
    }

    private FakeContainer server() {
        return Objects.requireNonNull(node.runtime.containers.get(SERVER));
    }

    @Test
    void execPassesOutputAndExitCodeOn() {
        node.runtime.execAnswer = FakeRuntime.output("to out\n", "to err\n", 42);

        int code = gantry.run("exec", "default/web/server", "--", "ls", "-l", "--", "/");

        assertThat(code).isEqualTo(42);
        assertThat(gantry.out()).isEqualTo("to out\n");
        assertThat(gantry.err()).isEqualTo("to err\n");
        assertThat(node.calls("ExecSync")).containsExactly("ExecSync ls -l -- /");
    }

    @Test
    void execTakesOptionsOfTheCommandWithoutDashes() {
        assertThat(gantry.run("exec", SERVER, "ls", "--help")).isZero();

        assertThat(node.calls("ExecSync")).containsExactly("ExecSync ls --help");
    }

    @Test
    void execRefusesATerminalAndAMissingCommand() {
        assertThat(gantry.run("exec", "-it", SERVER, "sh")).isEqualTo(2);
        assertThat(gantry.err()).contains("cannot connect a terminal or stdin yet");

        assertThat(gantry.run("exec", SERVER, "--")).isEqualTo(2);
        assertThat(gantry.err()).contains("needs a command");
        assertThat(node.calls("ExecSync")).isEmpty();
    }

    @Test
    void namesThatMeanSeveralThingsAreRefusedWithTheIdsToChooseFrom() {
        assertThat(gantry.run("exec", "server", "--", "true")).isEqualTo(1);
        assertThat(gantry.err())
                .isEqualTo("gantry: container server is ambiguous; it could be one of %s, %s%n"
                        .formatted(SERVER.substring(0, 13), OTHER_SERVER.substring(0, 13)));

        assertThat(gantry.run("stop", "a")).isEqualTo(1);
        assertThat(gantry.err()).contains("pod a is ambiguous");
    }

    @Test
    void ofSeveralContainersTheOneThatRunsIsMeantAndOfSeveralAttemptsTheNewest() {
        server().state = ContainerState.CONTAINER_RUNNING;
        server().say("of the second attempt");

        assertThat(gantry.run("logs", "server")).isZero();

        assertThat(gantry.out()).isEqualTo("of the second attempt\n");
    }

    @Test
    void whatIsNotThereIsExitCodeThree() {
        assertThat(gantry.run("logs", "nothing")).isEqualTo(3);
        assertThat(gantry.err()).isEqualTo("gantry: there is no container nothing\n");
        assertThat(gantry.run("inspect", "nothing")).isEqualTo(3);
        assertThat(gantry.run("stop", "nothing")).isEqualTo(3);
        assertThat(gantry.run("rm", "nothing")).isEqualTo(3);
        assertThat(gantry.run("rmi", "nothing")).isEqualTo(3);
        assertThat(gantry.run("pull", "nothing")).isEqualTo(3);
        assertThat(gantry.err()).isEqualTo("gantry: image nothing not found in its registry\n");
    }

    @Test
    void logsKeepTheStreamsApartAndShowTimesAndTails() {
        server().say("one");
        server().complain("two");
        server().say("three");

        assertThat(gantry.run("logs", SERVER)).isZero();
        assertThat(gantry.out()).isEqualTo("one\nthree\n");
        assertThat(gantry.err()).isEqualTo("two\n");

        assertThat(gantry.run("logs", "--tail", "1", SERVER)).isZero();
        assertThat(gantry.out()).isEqualTo("three\n");

        assertThat(gantry.run("logs", "--timestamps", "--tail", "1", SERVER)).isZero();
        assertThat(gantry.out()).matches("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z three\n");
    }

    @Test
    void logsFollowUntilTheContainerEnds() throws InterruptedException {
        server().state = ContainerState.CONTAINER_RUNNING;
        server().say("before");
        Thread writer = Thread.ofVirtual().start(() -> {
            sleep(300);
            server().say("meanwhile");
            server().state = ContainerState.CONTAINER_EXITED;
        });

        assertThat(gantry.run("logs", "-f", SERVER)).isZero();

        writer.join();
        assertThat(gantry.out()).isEqualTo("before\nmeanwhile\n");
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void stopStopsTheContainersAndThenThePod() {
        server().state = ContainerState.CONTAINER_RUNNING;
        server().run(_ -> 0);
        server().state = ContainerState.CONTAINER_RUNNING;

        assertThat(gantry.run("stop", "-t", "7", "default/web", OTHER_SERVER))
                .as(gantry::err)
                .isZero();

        assertThat(node.calls("StopContainer", "StopPodSandbox"))
                .containsExactly("StopContainer server 7", "StopPodSandbox", "StopContainer server 7");
    }

    @Test
    void rmRefusesARunningPodAndTakesItWithForce() throws IOException {
        Path logs = node.root().resolve("logs/default_web_uid/server");
        Files.createDirectories(logs);
        Files.writeString(logs.resolve("0.log"), "");
        server().state = ContainerState.CONTAINER_RUNNING;
        node.start(() -> server().run(FakeContainer::untilStopped));

        assertThat(gantry.run("rm", "default/web")).isEqualTo(1);
        assertThat(gantry.err()).isEqualTo("gantry: pod web runs; stop it first, or use rm -f\n");
        assertThat(node.runtime.pods).containsKey(POD);

        assertThat(gantry.run("rm", "-f", "default/web")).isZero();
        assertThat(node.runtime.pods).containsOnlyKeys(OTHER_POD);
        assertThat(node.root().resolve("logs")).isEmptyDirectory();
    }

    @Test
    void rmWithAllTakesEveryPodAndOneFailureDoesNotKeepTheOthers() {
        server().state = ContainerState.CONTAINER_RUNNING;
        node.start(() -> server().run(FakeContainer::untilStopped));

        assertThat(gantry.run("rm", "--all")).isEqualTo(1);
        assertThat(node.runtime.pods).containsOnlyKeys(POD);

        assertThat(gantry.run("rm", "--all", "-f")).isZero();
        assertThat(node.runtime.pods).isEmpty();

        assertThat(gantry.run("rm")).isEqualTo(2);
        assertThat(gantry.run("rm", "--all", "web")).isEqualTo(2);
    }

    @Test
    void logsOfAPodWithAStrangeNameAreNotLookedForElsewhere() {
        Path logs = PodLogs.directory(Path.of("/root"), "../..", "../etc", "x");

        assertThat(logs.getParent()).isEqualTo(Path.of("/root/logs"));
        assertThat(logs).isEqualTo(logs.normalize());
    }

    @Test
    void pullTellsItsStepsOnStderrAndTheIdOnStdout() {
        node.registry.put("registry.test/app:1", FakeNode.image("registry.test/app:1", "be"));

        assertThat(gantry.run("pull", "registry.test/app:1")).isZero();

        assertThat(gantry.out()).isEqualTo("sha256:" + "be".repeat(32) + "\n");
        assertThat(gantry.err()).isEqualTo("""
                        pulling registry.test/app:1: 1 layers, 0 already here
                        layer ababababababa: 2.00 MB, done
                        pulled: 2.00 MB, of these 2.00 MB over the network
                        """);
    }

    @Test
    void whatTheDaemonAnswersIsPassedOnInOneSentence() {
        node.failures.put("Pull", Status.UNAVAILABLE.withDescription("cannot reach registry.test: connection refused"));

        assertThat(gantry.run("pull", "registry.test/app:1")).isEqualTo(1);

        assertThat(gantry.err()).isEqualTo("gantry: cannot reach registry.test: connection refused\n");
    }

    @Test
    void pullRefusesCredentialsWithoutAPassword() {
        assertThat(gantry.run("pull", "--creds", "somebody", "registry.test/app:1"))
                .isEqualTo(2);
        assertThat(node.calls("Pull")).isEmpty();
    }

    @Test
    void rmiRemovesAnImage() {
        node.images.put("registry.test/app:1", FakeNode.image("registry.test/app:1", "be"));

        assertThat(gantry.run("rmi", "registry.test/app:1")).isZero();

        assertThat(node.images).isEmpty();
    }

    @Test
    void inspectPrintsWhatCriKnows() {
        assertThat(gantry.run("inspect", SERVER)).isZero();
        assertThat(gantry.out()).contains("\"id\": \"1b1b", "\"state\": \"CONTAINER_EXITED\"", "\"attempt\": 1");

        assertThat(gantry.run("inspect", "-o", "yaml", "testing/web")).isZero();
        assertThat(gantry.out()).startsWith("id: acac").contains("\n  namespace: testing\n");
    }
}
