package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.Mount;
import dev.gantry.shim.ShimNode.Container;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Our own shim when others fail: a runc that hangs, fails or talks nonsense, clients and daemons that go away, and its
/// own death.
@Timeout(120)
class ShimFaultsIT {

    private static final Optional<String> INIT = Optional.empty();
    private static final int SECONDS = 30;
    private static final Stdio STREAMS = ShimStreams.attached(false, false, false);

    private ShimNode node;
    private Path folder;

    /// Says what the runc of the node is to do instead of its work.
    private Path mood;

    Path binary() {
        return GantryShimIT.built();
    }

    @BeforeEach
    void open() throws IOException {
        Path shim = binary();
        folder = Files.createTempDirectory("gr");
        mood = folder.resolve("mood");
        Path runc = Files.writeString(folder.resolve("runc"), """
            #!/bin/sh
            # after NAME ARGUMENT...: the one that follows NAME
            after() { name=$1; shift; for word; do [ "$last" != "$name" ] || echo "$word"; last=$word; done; }
            case $(cat %s 2>/dev/null) in
                hangs) case $* in *" create "*) exec sleep 1000 ;; esac; exec runc "$@" ;;
                "always hangs") exec sleep 1000 ;;
                "hangs in exec") case $* in *" exec "*) exec sleep 1000 ;; esac; exec runc "$@" ;;
                "sends no terminal") exec perl -MIO::Socket::UNIX \
                        -e '$s = IO::Socket::UNIX->new($ARGV[0]) or die $!; sleep 1000' "$(after --console-socket "$@")" ;;
                lies) pid=$(after --pid-file "$@"); [ -z "$pid" ] || cp stranger "$pid"; exit 0 ;;
                fails) echo no luck >&2; exit 3 ;;
                "is killed") kill -9 $$ ;;
                "talks nonsense") head -c 300000 /dev/urandom; head -c 300000 /dev/urandom >&2; exit 0 ;;
                *) exec runc "$@" ;;
            esac
            """.formatted(mood));
        Files.setPosixFilePermissions(runc, PosixFilePermissions.fromString("rwx------"));
        node = new ShimNode(shim, runc);
    }

    @AfterEach
    void close() throws Exception {
        if (node == null) {
            return;
        }
        runc("works");
        node.end();
        for (String file : List.of("mood", "runc")) {
            Files.deleteIfExists(folder.resolve(file));
        }
        Files.delete(folder);
    }

    private void runc(String does) throws IOException {
        Files.writeString(mood, does);
    }

    @Test
    void aRuncThatFailsToCreateLeavesNothing() throws Exception {
        Container pod = running("pod", Optional.empty());
        for (String does : List.of("fails", "is killed", "talks nonsense")) {
            String id = does.replace(' ', '-');
            Container container = container(id, Optional.of(pod.shim), "/bin/sleep", "1000");
            runc(does);
            assertThatThrownBy(() -> container.create(STREAMS))
                    .as(does)
                    .isInstanceOf(ShimException.class)
                    .hasMessageStartingWith("cannot create container %s: runc create failed: ".formatted(id));
            assertThatThrownBy(() -> pod.shim.state(id, INIT)).isInstanceOf(ShimException.NotFound.class);
            assertThat(ShimNode.mounts()).noneMatch(it -> it.contains(container.bundle.directory() + "/"));

            runc("works");
            container.create(STREAMS);
            container.start();
            container.remove();
        }
        assertThat(pod.shim.state("pod", INIT).status()).isEqualTo(TaskStatus.RUNNING);
    }

    @Test
    void aRuncThatHangsIsKilledWhenTheTimeIsUp() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = container("a", Optional.of(pod.shim), "/bin/sleep", "1000");
        runc("hangs");

        assertThatThrownBy(() -> pod.shim.create(
                        "a", container.bundle, List.<Mount>of(), STREAMS, node.options, Duration.ofSeconds(1)))
                .isInstanceOf(ShimException.TimedOut.class);

        assertThat(pod.shim.state("pod", INIT).status()).isEqualTo(TaskStatus.RUNNING); // it held up nobody
        runc("works");
        ShimNode.await(() -> pod.shim.pids("pod").size() == 1 && unknown(pod.shim, "a"));
        ShimNode.await(() ->
                ProcessHandle.of(pod.shim.shimPid()).orElseThrow().children().count() == 1);
        container.create(STREAMS);
        container.start();
        assertThat(pod.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
    }

    @Test
    void aRuncThatAlwaysHangsHoldsNothingForEver() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = container("a", Optional.of(pod.shim), "/bin/sleep", "1000");
        runc("always hangs");

        assertThatThrownBy(() -> pod.shim.create(
                        "a", container.bundle, List.<Mount>of(), STREAMS, node.options, Duration.ofSeconds(1)))
                .isInstanceOf(ShimException.TimedOut.class);

        ShimNode.await(() -> unknown(pod.shim, "a"));
        assertThat(ProcessHandle.of(pod.shim.shimPid()).orElseThrow().children())
                .as("children but for the pod's process")
                .hasSize(1);
    }

    @Test
    void aTerminalThatDoesNotComeHoldsUpNobodyElse() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = node.withoutFifos("a", Optional.of(pod.shim), true, "/bin/sleep", "1000");
        runc("sends no terminal");
        CompletableFuture<Void> creation = CompletableFuture.runAsync(() -> pod.shim.create(
                "a",
                container.bundle,
                List.<Mount>of(),
                ShimStreams.attached(true, false, true),
                node.options,
                Duration.ofSeconds(3)));

        int answers = 0;
        while (!creation.isDone()) {
            assertThat(pod.shim.state("pod", INIT, Duration.ofSeconds(1)).status())
                    .isEqualTo(TaskStatus.RUNNING);
            answers++;
            Thread.sleep(20);
        }

        assertThat(answers).isGreaterThan(10);
        assertThatThrownBy(creation::join).hasCauseInstanceOf(ShimException.class);
        runc("works");
        ShimNode.await(() -> unknown(pod.shim, "a"));
        try (Stream<Path> files = Files.list(container.bundle.directory())) {
            assertThat(files.map(it -> it.getFileName().toString())).noneMatch(it -> it.startsWith(".console"));
        }
    }

    @Test
    void aStrangersPidIsNotTakenForAContainers() throws Exception {
        Container pod = running("pod", Optional.empty());
        Process stranger = new ProcessBuilder("sleep", "1000").start();
        try {
            for (String does : List.of("lies", "talks nonsense")) {
                Container container = container("a", Optional.of(pod.shim), "/bin/sleep", "1000");
                for (String file : List.of("stranger", "init.pid", ".init.pid")) {
                    Files.writeString(container.bundle.directory().resolve(file), Long.toString(stranger.pid()));
                }
                runc(does);
                assertThatThrownBy(() -> container.create(STREAMS))
                        .as(does)
                        .isInstanceOf(ShimException.class)
                        .hasMessageEndingWith("it left no process id");
                runc("works");
                container.create(STREAMS); // what lay about is in nobody's way
                container.start();
                container.remove();
                node.forget(container);
            }
            assertThat(stranger.isAlive()).isTrue();
        } finally {
            stranger.destroyForcibly().waitFor();
        }
    }

    @Test
    void aContainerThatIsBeingMadeIsNotPausedOrUpdated() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = container("a", Optional.of(pod.shim), "/bin/sleep", "1000");
        runc("hangs");
        CompletableFuture<Void> creation = CompletableFuture.runAsync(() ->
                pod.shim.create("a", container.bundle, List.<Mount>of(), STREAMS, node.options, Duration.ofSeconds(2)));
        ShimNode.await(() -> !unknown(pod.shim, "a"));

        assertThatThrownBy(() -> pod.shim.pause("a")).hasMessageContaining("container a is not running");
        assertThatThrownBy(() -> pod.shim.update("a", Json.write(Map.of())))
                .hasMessageContaining("container a is not running");

        assertThatThrownBy(creation::join).hasCauseInstanceOf(ShimException.class);
        runc("works");
        ShimNode.await(() -> unknown(pod.shim, "a"));
    }

    @Test
    void aCommandThatNeverStartsKeepsNoDeadContainer() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = running("a", Optional.of(pod.shim));
        container.shim.exec("a", "e", Json.write(ShimNode.process(false, "/bin/sleep", "1000")), STREAMS);
        runc("hangs in exec");
        CompletableFuture<Void> start = CompletableFuture.runAsync(() -> container.shim.startExec("a", "e"));
        ShimNode.await(() ->
                ProcessHandle.of(pod.shim.shimPid()).orElseThrow().children().count() == 3);

        container.shim.kill("a", INIT, 9, true);

        assertThat(container.await().status()).isEqualTo(137);
        assertThatThrownBy(start::join).hasCauseInstanceOf(ShimException.class);
        assertThat(container.shim.delete("a", INIT).status()).isEqualTo(137);
        assertThat(unknown(pod.shim, "a")).isTrue();
    }

    @Test
    void aDeletionWaitsForWhatStillRunsInTheContainer() throws Exception {
        Container pod = running("pod", Optional.empty());
        Container container = running("a", Optional.of(pod.shim));
        runc("always hangs");
        CompletableFuture<Void> update =
                CompletableFuture.runAsync(() -> container.shim.update("a", Json.write(Map.of())));
        ShimNode.await(() ->
                ProcessHandle.of(pod.shim.shimPid()).orElseThrow().children().count() == 3);
        container.shim.kill("a", INIT, 9, true);
        assertThat(container.await().status()).isEqualTo(137);
        runc("works");

        CompletableFuture<Exit> deletion = CompletableFuture.supplyAsync(() -> container.shim.delete("a", INIT));
        Thread.sleep(300);
        assertThat(deletion).isNotDone();
        ProcessHandle.of(pod.shim.shimPid())
                .orElseThrow()
                .children()
                .filter(it -> it.info().arguments().stream()
                        .anyMatch(all -> List.of(all).contains("1000")))
                .filter(it -> it.pid() != pod.pid)
                .forEach(ProcessHandle::destroyForcibly);

        assertThat(deletion.get(SECONDS, TimeUnit.SECONDS).status()).isEqualTo(137);
        assertThatThrownBy(update::join).hasCauseInstanceOf(ShimException.class);
    }

    @Test
    void aFailedStartOrDeletionCanBeFollowedByAnother() throws Exception {
        Container container = container("a", Optional.empty(), "/bin/sleep", "1000");
        // Whoever has hooks is started by runc.
        Path config = container.bundle.config();
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"hooks\":{},"));
        container.create(STREAMS);
        runc("fails");
        assertThatThrownBy(container::start)
                .isInstanceOf(ShimException.class)
                .hasMessageStartingWith("cannot start container a: runc start failed: ");
        runc("works");
        container.start();
        byte[] process = Json.write(ShimNode.process(false, "/bin/sleep", "1000"));
        container.shim.exec("a", "e", process, STREAMS);
        runc("talks nonsense");
        assertThatThrownBy(() -> container.shim.startExec("a", "e"))
                .isInstanceOf(ShimException.class)
                .hasMessageStartingWith("cannot start exec e in container a: runc exec failed: ");
        container.shim.delete("a", Optional.of("e"));

        container.shim.kill("a", INIT, 9, true);
        assertThat(container.await().status()).isEqualTo(137);
        runc("fails");
        assertThatThrownBy(() -> container.shim.delete("a", INIT))
                .isInstanceOf(ShimException.class)
                .hasMessageStartingWith("cannot delete container a: runc delete failed: ");
        runc("works");
        assertThat(container.shim.delete("a", INIT).status()).isEqualTo(137);
    }

    @Test
    void aContainerWithoutHooksIsStartedWithoutRunc() throws Exception {
        Container container = container("a", Optional.empty(), "/bin/sh", "-c", "exit 6");
        container.create(STREAMS);
        assertThat(state("a")).contains("\"status\": \"created\"");
        runc("fails");
        container.start();

        assertThat(container.await().status()).isEqualTo(6);
        runc("works");
        assertThat(state("a")).contains("\"status\": \"stopped\"");
        container.remove();
    }

    /// What runc itself thinks of a container.
    private String state(String id) throws Exception {
        Process runc = new ProcessBuilder(
                        "runc",
                        "--root",
                        node.options.root().resolve(Shims.NAMESPACE).toString(),
                        "state",
                        id)
                .redirectErrorStream(true)
                .start();
        return new String(runc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void aCommandOutlivesItsClientAndTheDaemon() throws Exception {
        Container container = running("a", Optional.empty());
        byte[] process = Json.write(ShimNode.process(
                false,
                "/bin/sh",
                "-c",
                "echo begin; busybox yes | busybox head -c 4000000; while [ ! -e /dev/go ]; do sleep 0.05;"
                        + " done; exit 9"));
        container.shim.exec("a", "e", process, STREAMS);
        AttachedClient client = new AttachedClient(container, Optional.of("e"), false);
        container.shim.startExec("a", "e");
        client.out.await("begin\n");
        client.streams.close();
        node.crash();
        Files.createFile(Path.of("/proc", Integer.toString(container.pid), "root/dev/go"));
        node.comeBack();

        container.shim = node.shims().reconnect(container.bundle, "a");
        assertThat(container
                        .shim
                        .wait("a", Optional.of("e"))
                        .get(SECONDS, TimeUnit.SECONDS)
                        .status())
                .isEqualTo(9);
        assertThat(container.shim.delete("a", Optional.of("e")).status()).isEqualTo(9);
    }

    @Test
    void aRecordedExitOutlivesTheShimButNoReboot() throws Exception {
        for (boolean rebooted : new boolean[] {false, true}) {
            String id = rebooted ? "b" : "a";
            Container container = container(id, Optional.empty(), "/bin/sh", "-c", "exit 5");
            container.create(STREAMS);
            container.start();
            assertThat(container.await().status()).isEqualTo(5);
            ProcessHandle.of(container.shim.shimPid()).orElseThrow().destroyForcibly();
            container.shim.closed().get(SECONDS, TimeUnit.SECONDS);
            Path record = container.bundle.directory().resolve("exit.json");
            assertThat(record).content().contains("\"Status\":5");
            if (rebooted) {
                String text = Files.readString(record);
                Files.writeString(record, text.replaceAll("(\"BootID\":\")[^\"]*", "$1another"));
            }

            assertThat(node.shims().cleanup(node.binary, container.bundle, id))
                    .map(Exit::status)
                    .contains(rebooted ? 137 : 5);
        }
    }

    private Container container(String id, Optional<Shim> group, String... arguments) throws IOException {
        return node.withoutFifos(id, group, false, arguments);
    }

    private Container running(String id, Optional<Shim> group) throws IOException {
        Container container = container(id, group, "/bin/sleep", "1000");
        container.create(STREAMS);
        container.start();
        return container;
    }

    private static boolean unknown(Shim shim, String id) {
        try {
            shim.state(id, INIT);
            return false;
        } catch (ShimException.NotFound _) {
            return true;
        }
    }
}
