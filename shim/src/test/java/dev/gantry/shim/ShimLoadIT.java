package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.Signals;
import dev.gantry.shim.ShimNode.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Our own shim with many containers and commands, at once and one after the other.
@Timeout(value = 2, unit = TimeUnit.HOURS)
class ShimLoadIT {

    private static final Optional<String> INIT = Optional.empty();
    private static final int MINUTES = 5;

    /// In one pod.
    private static final int CONTAINERS = Integer.getInteger("gantry.test.containers", 200);

    /// In one container.
    private static final int COMMANDS = Integer.getInteger("gantry.test.commands", 500);

    /// Of short-lived containers and commands; the whole proof has 10,000.
    private static final int ROUNDS = Integer.getInteger("gantry.test.rounds", 100);

    private static final int WARM_UP = 20;

    /// What the C library's allocator may keep. A leak of only a few bytes a round would show in the whole proof.
    private static final long KEPT_KIB = 64;

    private ShimNode node;
    private final ExecutorService callers = Executors.newFixedThreadPool(8);

    @BeforeEach
    void open() throws IOException {
        node = new ShimNode(GantryShimIT.built());
    }

    @AfterEach
    void close() throws Exception {
        callers.shutdownNow();
        if (node != null) {
            node.end();
        }
    }

    @Test
    void holdsManyContainersInOnePod() throws Exception {
        List<Container> all = new ArrayList<>(List.of(container("pod", Optional.empty(), "/bin/sleep", "1000")));
        Shim shim = all.getFirst().shim;
        for (int i = 1; i < CONTAINERS; i++) {
            all.add(container("c" + i, Optional.of(shim), "/bin/sh", "-c", "echo here; exec sleep 1000"));
        }
        together(all, it -> {
            it.create(ShimStreams.logged(log(it), 16384, false, false, false));
            it.start();
        });

        for (Container container : all) {
            assertThat(container.shim).isSameAs(shim);
            assertThat(shim.state(container.id, INIT).status()).isEqualTo(TaskStatus.RUNNING);
        }
        print("with %d containers".formatted(CONTAINERS), shim);
        together(all, it -> {
            shim.kill(it.id, INIT, Signals.KILL, true);
            assertThat(it.await().status()).isEqualTo(137);
            shim.streams().orElseThrow().drained(it.id, INIT).get(MINUTES, TimeUnit.MINUTES);
            shim.delete(it.id, INIT);
        });
        for (Container container : all.subList(1, CONTAINERS)) {
            assertThat(Files.readString(log(container))).endsWith(" stdout F here\n");
        }
    }

    @Test
    void runsManyCommandsAtOnce() throws Exception {
        Container container = running();
        List<Command> all = IntStream.range(0, COMMANDS)
                .mapToObj(i -> new Command(container, i))
                .toList();
        together(all, Command::start);
        assertThat(container.shim.pids("a")).hasSize(COMMANDS + 1);
        print("with %d commands".formatted(COMMANDS), container.shim);

        together(all, Command::finish);

        assertThat(container.shim.pids("a")).hasSize(1);
    }

    /// One that waits for input.
    @SuppressWarnings("NullAway.Init") // set when it is started
    private static final class Command {

        private final Container container;
        private final int number;
        private final String name;
        private AttachedClient client;

        Command(Container container, int number) {
            this.container = container;
            this.number = number;
            this.name = "e" + number;
        }

        void start() {
            byte[] process =
                    Json.write(ShimNode.process(false, "/bin/sh", "-c", "read x; echo $x; exit " + number % 200));
            container.shim.exec("a", name, process, ShimStreams.attached(true, true, false));
            client = new AttachedClient(container, Optional.of(name), true);
            container.shim.startExec("a", name);
        }

        void finish() throws Exception {
            client.send("hello " + number + "\n");
            client.ended();
            assertThat(client.out.text()).isEqualTo("hello " + number + "\n");
            assertThat(container
                            .shim
                            .wait("a", Optional.of(name))
                            .get(MINUTES, TimeUnit.MINUTES)
                            .status())
                    .isEqualTo(number % 200);
            container.shim.delete("a", Optional.of(name));
        }
    }

    @Test
    void needsNoMoreMemoryAfterManyShortLives() throws Exception {
        Container keeper = running();
        rounds(keeper, 0, WARM_UP);
        long before = privateKib(keeper.shim);

        rounds(keeper, WARM_UP, ROUNDS);

        long after = privateKib(keeper.shim);
        System.out.printf(
                "private memory of the shim: %d KiB, after %d containers and as many commands %d KiB%n",
                before, ROUNDS, after);
        assertThat(after).isLessThanOrEqualTo(before + KEPT_KIB);
    }

    private void rounds(Container keeper, int from, int count) throws Exception {
        Shim shim = keeper.shim;
        for (int i = from; i < from + count; i++) {
            Container container = container("c" + i, Optional.of(shim), "/bin/sh", "-c", "echo here");
            container.create(ShimStreams.logged(log(container), 16384, false, false, false));
            container.start();
            assertThat(container.await().status()).isZero();
            shim.streams().orElseThrow().drained(container.id, INIT).get(MINUTES, TimeUnit.MINUTES);
            container.remove();
            assertThat(Files.readString(log(container))).endsWith(" stdout F here\n");
            Files.delete(log(container));
            node.forget(container);
            Command command = new Command(keeper, i);
            command.start();
            command.finish();
        }
    }

    private Container container(String id, Optional<Shim> group, String... arguments) throws IOException {
        return node.withoutFifos(id, group, false, arguments);
    }

    private Container running() throws IOException {
        Container container = container("a", Optional.empty(), "/bin/sleep", "100000");
        container.create(ShimStreams.logged(log(container), 16384, false, false, false));
        container.start();
        return container;
    }

    private Path log(Container container) {
        return node.directory().resolve(container.id + ".log");
    }

    @FunctionalInterface
    private interface Action<T> {
        void on(T item) throws Exception;
    }

    /// As many at the same time as there are callers.
    private <T> void together(List<T> items, Action<T> action) throws Exception {
        List<Future<?>> futures = new ArrayList<>();
        for (T item : items) {
            futures.add(callers.submit(() -> {
                action.on(item);
                return null;
            }));
        }
        for (Future<?> future : futures) {
            future.get(MINUTES, TimeUnit.MINUTES);
        }
    }

    private static void print(String when, Shim shim) throws IOException {
        System.out.printf(
                "the shim %s: %d KiB PSS, %d KiB private%n",
                when, memory(shim, "Pss"), memory(shim, "Private_Clean") + memory(shim, "Private_Dirty"));
    }

    private static long privateKib(Shim shim) throws IOException {
        return memory(shim, "Private_Dirty");
    }

    private static long memory(Shim shim, String member) throws IOException {
        try (var lines = Files.lines(Path.of("/proc", Integer.toString(shim.shimPid()), "smaps_rollup"))) {
            return lines.filter(line -> line.startsWith(member + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
