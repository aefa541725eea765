package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListCommandsTest {

    @TempDir
    private Path directory;

    private FakeNode node;
    private CommandRun gantry;

    @BeforeEach
    void start() {
        node = new FakeNode(directory);
        gantry = new CommandRun(node.socket());
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private void pod(String id, String name) {
        node.runtime.pods.put(
                id,
                PodSandboxConfig.newBuilder()
                        .setMetadata(PodSandboxMetadata.newBuilder()
                                .setName(name)
                                .setNamespace("default")
                                .setUid("u-" + name))
                        .build());
        node.runtime.states.put(id, PodSandboxState.SANDBOX_READY);
        node.runtime.created.put(id, FakeContainer.nanos());
    }

    private void container(String id, String pod, String name, ContainerState state) {
        var container = new FakeContainer(
                id,
                pod,
                ContainerConfig.newBuilder()
                        .setMetadata(
                                ContainerMetadata.newBuilder().setName(name).setAttempt(2))
                        .setImage(ImageSpec.newBuilder()
                                .setImage("sha256:beef")
                                .setUserSpecifiedImage("registry.test/app:1"))
                        .build(),
                directory.resolve(id + ".log"));
        container.state = state;
        node.runtime.containers.put(id, container);
    }

    @Test
    void psShowsRunningContainersWithTheNamesOfTheirPods() {
        pod("p".repeat(64), "web");
        container("c".repeat(64), "p".repeat(64), "server", ContainerState.CONTAINER_RUNNING);
        container("d".repeat(64), "p".repeat(64), "old", ContainerState.CONTAINER_EXITED);

        assertThat(gantry.run("ps")).isZero();

        assertThat(gantry.out().lines())
                .hasSize(2)
                .first()
                .isEqualTo("CONTAINER       POD   NAME     STATE     ATTEMPT   AGE   IMAGE");
        assertThat(gantry.out())
                .containsPattern("ccccccccccccc   web   server   Running   2         \\d+s    registry.test/app:1");
    }

    @Test
    void psWithAllShowsThoseThatEnded() {
        pod("p".repeat(64), "web");
        container("d".repeat(64), "p".repeat(64), "old", ContainerState.CONTAINER_EXITED);

        assertThat(gantry.run("ps", "-a")).isZero();

        assertThat(gantry.out()).contains("Exited");
    }

    @Test
    void psPrintsJsonAndYamlThatProgramsCanRead() {
        pod("p".repeat(64), "web");
        container("c".repeat(64), "p".repeat(64), "server", ContainerState.CONTAINER_RUNNING);

        assertThat(gantry.run("ps", "-o", "json")).isZero();
        assertThat(gantry.out())
                .startsWith("[\n  {\n    \"id\": \"cccc")
                .contains("\"attempt\": 2", "\"pod\": \"web\"", "\"state\": \"Running\"", "\"labels\": {}")
                .endsWith("  }\n]\n");

        assertThat(gantry.run("ps", "-o", "yaml")).isZero();
        assertThat(gantry.out())
                .startsWith("- id: cccc")
                .contains("\n  attempt: 2\n", "\n  image: \"registry.test/app:1\"\n", "\n  labels: {}\n");
    }

    @Test
    void emptyListsAreAHeaderOrAnEmptyArray() {
        assertThat(gantry.run("pods")).isZero();
        assertThat(gantry.out().lines()).hasSize(1);

        assertThat(gantry.run("pods", "-o", "json")).isZero();
        assertThat(gantry.out()).isEqualTo("[]\n");
    }

    @Test
    void imagesHasALineForEveryNameInOrder() {
        node.images.put("b", FakeNode.image("registry.test/b:1", "bb"));
        node.images.put("a", FakeNode.image("registry.test/a:1", "aa"));

        assertThat(gantry.run("images")).as(gantry::err).isZero();

        assertThat(gantry.out().lines().skip(1))
                .containsExactly(
                        "registry.test/a:1   aaaaaaaaaaaaa   12.3 MB   no",
                        "registry.test/b:1   bbbbbbbbbbbbb   12.3 MB   no");
    }

    @Test
    void statusEndsWithOneWhenTheNodeIsNotReady() {
        node.conditions.add(FakeNode.condition("NoKnownFlaws", false, "OldRuntime"));
        assertThat(gantry.run("status")).isZero();
        assertThat(gantry.out()).containsPattern("NoKnownFlaws +no +OldRuntime");
        assertThat(gantry.out()).contains("RuntimeReady", "NetworkReady", "overlayfs");

        node.conditions.set(1, FakeNode.condition("NetworkReady", false, "NoConfiguration"));

        assertThat(gantry.run("status")).isOne();
        assertThat(gantry.out()).containsPattern("NetworkReady +no +NoConfiguration");
    }

    @Test
    void versionNamesBothSides() {
        assertThat(gantry.run("version")).isZero();

        assertThat(gantry.out()).matches("gantry 0\\.\\S+\ngantry 0\\.1\\.0 \\(CRI v1\\)\n");
    }

    @Test
    void aDaemonThatIsNotThereIsExitCodeFour() {
        node.close();

        assertThat(gantry.run("ps")).isEqualTo(4);
        assertThat(gantry.err()).startsWith("gantry: cannot reach the daemon at " + node.socket());

        assertThat(gantry.run("ps", "--address", "/nowhere/gantry.sock")).isEqualTo(4);
        assertThat(gantry.err())
                .isEqualTo("gantry: cannot reach the daemon at /nowhere/gantry.sock: no such socket; is gantryd"
                        + " running?\n");
    }

    @Test
    void aWrongCommandLineIsExitCodeTwoAndOneSentence() {
        assertThat(gantry.run("frobnicate")).isEqualTo(2);
        assertThat(gantry.err()).isEqualTo("gantry: there is no command frobnicate; gantry help lists them all\n");

        assertThat(gantry.run("ps", "--colour")).isEqualTo(2);
        assertThat(gantry.err().lines()).hasSize(1);

        assertThat(gantry.run("ps", "-o", "xml")).isEqualTo(2);
        assertThat(gantry.err()).contains("xml");
    }

    @Test
    void helpExplainsEveryCommandAndTheExitCodes() {
        assertThat(gantry.run("help")).isZero();
        for (Commands command : Commands.values()) {
            assertThat(gantry.out()).contains("  " + command.word() + " ");
        }
        for (Commands command : Commands.values()) {
            assertThat(gantry.run("help", command.word())).isZero();
            assertThat(gantry.out())
                    .contains("gantry " + command.word(), command.description().substring(0, 9));
        }
        assertThat(gantry.run("help", "exit-codes")).isZero();
        assertThat(gantry.out()).contains("   4  the daemon does not answer");
    }
}
