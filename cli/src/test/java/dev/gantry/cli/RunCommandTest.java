package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCommandTest {

    @TempDir
    private Path directory;

    private FakeNode node;
    private CommandRun gantry;

    @BeforeEach
    void start() {
        node = new FakeNode(directory);
        gantry = new CommandRun(node.socket());
        node.with("good", "aa", self -> {
            self.say("working");
            return 0;
        });
        node.with("bad", "bb", self -> {
            self.complain("broken");
            return 7;
        });
        node.with("server", "cc", self -> {
            self.say("serving");
            return self.untilStopped();
        });
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private String manifest(String restartPolicy, String... containers) throws IOException {
        return initialised(restartPolicy, "", containers);
    }

    /// A pod with these containers; each has the name of its image.
    private String initialised(String restartPolicy, String init, String... containers) throws IOException {
        var text = new StringBuilder("""
                apiVersion: v1
                kind: Pod
                metadata: {name: test}
                spec:
                  terminationGracePeriodSeconds: 3
                  restartPolicy: %s
                  volumes: [{name: data, emptyDir: {}}]
                """.formatted(restartPolicy));
        if (!init.isEmpty()) {
            text.append(
                    "  initContainers: [{name: init, image: \"%s\", imagePullPolicy: IfNotPresent}]\n".formatted(init));
        }
        text.append("  containers:\n");
        for (String c : containers) {
            text.append(
                    "  - {name: %s, image: %s, imagePullPolicy: IfNotPresent, volumeMounts: [{name: data, mountPath: /data}]}\n"
                            .formatted(c, c));
        }
        return Files.writeString(directory.resolve("pod.yaml"), text).toString();
    }

    private void nothingIsLeft() {
        assertThat(node.runtime.pods).isEmpty();
        assertThat(node.runtime.containers).isEmpty();
        assertThat(node.root().resolve("logs")).isEmptyDirectory();
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("time until it holds").isLessThan(end);
            Thread.onSpinWait();
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aPodThatEndsWellIsRemovedAndItsLogsWerePrinted() throws IOException {
        assertThat(gantry.run("run", manifest("Never", "good"))).as(gantry::err).isZero();

        assertThat(gantry.out()).isEqualTo("good | working\n");
        assertThat(node.calls("RunPodSandbox", "CreateVolume", "CreateContainer", "StartContainer", "RemovePodSandbox"))
                .containsExactly(
                        "RunPodSandbox test",
                        "CreateVolume data",
                        "CreateContainer good",
                        "StartContainer good",
                        "RemovePodSandbox");
        nothingIsLeft();
    }

    @Test
    void theExitCodeIsThatOfTheFirstContainerThatFailed() throws IOException {
        assertThat(gantry.run("run", manifest("Never", "good", "bad"))).isEqualTo(7);

        assertThat(gantry.err()).isEqualTo("bad  | broken\ngantry: container bad ended with 7\n");
        nothingIsLeft();
    }

    @Test
    void initContainersComeFirstAndHaveToSucceed() throws IOException {
        assertThat(gantry.run("run", initialised("Never", "bad", "good"))).isEqualTo(7);

        assertThat(node.calls("CreateContainer")).containsExactly("CreateContainer init");
        nothingIsLeft();

        node.calls.clear();
        assertThat(gantry.run("run", initialised("Never", "good", "good"))).isZero();
        assertThat(node.calls("StartContainer")).containsExactly("StartContainer init", "StartContainer good");
    }

    @Test
    void aContainerThatFailsIsStartedAgainUntilItSucceeds() throws IOException {
        var attempts = new AtomicInteger();
        node.with("flaky", "dd", self -> {
            self.say("attempt " + attempts.incrementAndGet());
            return attempts.get() < 2 ? 1 : 0;
        });

        assertThat(gantry.run("run", manifest("OnFailure", "flaky")))
                .as(gantry::err)
                .isZero();

        assertThat(gantry.out()).isEqualTo("flaky | attempt 1\nflaky | attempt 2\n");
        assertThat(gantry.err()).isEqualTo("gantry: container flaky ended with 1, starts again in 1 s\n");
        nothingIsLeft();
    }

    @Test
    void aSignalStopsThePodWithItsGraceAndRemovesIt() throws Exception {
        String file = manifest("Always", "server");
        StopSignal signal = gantry.stoppable();
        Thread user = Thread.ofVirtual().start(() -> {
            until(() -> node.runtime.containers.values().stream().anyMatch(c -> c.started > 0));
            signal.request();
        });

        assertThat(gantry.run("run", file)).isEqualTo(130);

        user.join();
        assertThat(node.calls("StopContainer")).containsExactly("StopContainer server 3");
        assertThat(gantry.out()).isEqualTo("server | serving\n");
        nothingIsLeft();
    }

    @Test
    void aStepThatFailsIsNamedAndWhatWasDoneIsUndone() throws IOException {
        String file = manifest("Never", "good", "server");
        node.failures.put("StartContainer server", Status.INTERNAL.withDescription("exec /server: no such file"));
        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err()).endsWith("gantry: cannot start container server: exec /server: no such file\n");
        nothingIsLeft();

        node.failures.put("CreateVolume", Status.RESOURCE_EXHAUSTED.withDescription("no space left on device"));
        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err()).isEqualTo("gantry: cannot make volume data: no space left on device\n");
        assertThat(node.runtime.pods).isEmpty();

        node.failures.put("RunPodSandbox", Status.INTERNAL.withDescription("cni plugin bridge failed"));
        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err()).isEqualTo("gantry: cannot start the pod: cni plugin bridge failed\n");
    }

    @Test
    void imagesArePulledByPolicy() throws IOException {
        node.images.clear();
        node.registry.put("good", FakeNode.image("good", "aa"));
        String file = manifest("Never", "good");

        assertThat(gantry.run("run", file)).as(gantry::err).isZero();
        assertThat(gantry.run("run", file)).isZero();
        assertThat(node.calls("Pull")).containsExactly("Pull good");

        Files.writeString(Path.of(file), Files.readString(Path.of(file)).replace("IfNotPresent", "Always"));
        assertThat(gantry.run("run", file)).isZero();
        assertThat(node.calls("Pull")).containsExactly("Pull good", "Pull good");

        node.images.clear();
        Files.writeString(Path.of(file), Files.readString(Path.of(file)).replace("Always", "Never"));
        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err()).contains("image good of container good is not on this node, and must not be pulled");
    }

    @Test
    void detachedPodsStayAndTheirIdIsPrinted() throws IOException {
        assertThat(gantry.run("run", "-d", manifest("Never", "good", "server")))
                .as(gantry::err)
                .isZero();

        String id = gantry.out().strip();
        assertThat(node.runtime.pods).containsOnlyKeys(id);
        assertThat(node.runtime.states).containsEntry(id, PodSandboxState.SANDBOX_READY);

        assertThat(gantry.run("rm", "-f", "test")).isZero();
        nothingIsLeft();
    }

    @Test
    void detachedPodsCannotBeStartedAgain() throws IOException {
        assertThat(gantry.run("run", "-d", manifest("Always", "server"))).isEqualTo(2);

        assertThat(gantry.err()).startsWith("gantry: -d needs restartPolicy Never");
        assertThat(node.calls).isEmpty();
    }

    @Test
    void aNameThatIsTakenIsRefusedUnlessAnotherIsGiven() throws IOException {
        node.runtime.pods.put(
                "there",
                PodSandboxConfig.newBuilder()
                        .setMetadata(PodSandboxMetadata.newBuilder()
                                .setName("test")
                                .setNamespace("default")
                                .setUid("u"))
                        .build());
        node.runtime.states.put("there", PodSandboxState.SANDBOX_READY);
        String file = manifest("Never", "good");

        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err()).contains("pod default/test is there already");

        assertThat(gantry.run("run", "--name", "other", file)).isZero();
        assertThat(node.calls("RunPodSandbox")).containsExactly("RunPodSandbox other");
    }

    @Test
    void aPodThatSomebodyStopsIsNotBroughtBack() throws Exception {
        String file = manifest("Always", "server");
        Thread other = Thread.ofVirtual().start(() -> {
            until(() -> node.runtime.containers.values().stream().anyMatch(c -> c.started > 0));
            int _ = new CommandRun(node.socket()).run("stop", "test");
        });

        int code = gantry.run("run", file);

        other.join();
        assertThat(code).isEqualTo(143);
        assertThat(node.calls("CreateContainer")).hasSize(1);
        nothingIsLeft();
    }

    @Test
    void aWrongManifestIsExitCodeTwoAndNothingIsDone() throws IOException {
        Path file = Files.writeString(directory.resolve("x.yaml"), "kind: Pod\napiVersion: v1\nspec: {replicas: 3}\n");

        assertThat(gantry.run("run", file.toString())).isEqualTo(2);

        assertThat(gantry.err()).isEqualTo("gantry: " + file + ":3:8: spec.replicas is no field of a Pod\n");
        assertThat(node.calls).isEmpty();
    }

    @Test
    void hostPathsAreCheckedAndMadeBeforeThePodStarts() throws IOException {
        String file = manifest("Never", "good");
        String text = Files.readString(Path.of(file));
        Path made = directory.resolve("a/b");
        Files.writeString(
                Path.of(file),
                text.replace("emptyDir: {}", "hostPath: {path: \"%s\", type: DirectoryOrCreate}".formatted(made)));

        assertThat(gantry.run("run", file)).as(gantry::err).isZero();
        assertThat(made).isDirectory();

        Files.writeString(
                Path.of(file), text.replace("emptyDir: {}", "hostPath: {path: \"%s\", type: File}".formatted(made)));
        assertThat(gantry.run("run", file)).isEqualTo(1);
        assertThat(gantry.err())
                .isEqualTo("gantry: volume data wants a File, and %s is something else%n".formatted(made));
    }

    @Test
    void backOffDoublesUpToItsLimitAndBeginsAnewAfterAGoodRun() {
        var second = Duration.ofSeconds(1);
        var pause = BackOff.DEFAULT.next(Duration.ZERO, second);
        assertThat(pause).isEqualTo(second);
        for (int i = 0; i < 8; i++) {
            pause = BackOff.DEFAULT.next(pause, second);
        }
        assertThat(pause).isEqualTo(Duration.ofSeconds(256));
        assertThat(BackOff.DEFAULT.next(pause, second)).isEqualTo(Duration.ofMinutes(5));
        assertThat(BackOff.DEFAULT.next(pause, Duration.ofMinutes(10))).isEqualTo(second);
    }
}
