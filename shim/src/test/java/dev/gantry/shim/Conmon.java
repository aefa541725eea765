package dev.gantry.shim;

import dev.gantry.linux.Mounts;
import dev.gantry.linux.Spawn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A container under conmon, as CRI-O runs one: conmon calls `runc create`, holds the streams, writes the CRI log, and
/// leaves the exit code in a file.
final class Conmon {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ShimNode node;
    private final Bundle bundle;
    private final Path exits;
    private final Path pidFile;
    private long pid;

    Conmon(ShimNode node, String id, String... arguments) throws IOException {
        this.node = node;
        this.bundle = node.prepare(id, id, false, arguments).bundle;
        this.exits = Files.createDirectories(node.directory().resolve("exits"));
        this.pidFile = bundle.directory().resolve("conmon.pid");
        Mounts.bind(node.directory().resolve("image"), bundle.rootfs(), true, true);
    }

    void create(Path log) throws IOException, InterruptedException {
        Path containerPid = bundle.directory().resolve("container.pid");
        BareRunc.run(List.of(
                "conmon",
                "--api-version=1",
                "--cid=" + bundle.id(),
                "--cuuid=" + bundle.id(),
                "--name=" + bundle.id(),
                "--bundle=" + bundle.directory(),
                "--runtime=" + runc(),
                "--runtime-arg=--root=" + BareRunc.root(node),
                "--log-path=k8s-file:" + log,
                "--no-sync-log",
                "--container-pidfile=" + containerPid,
                "--conmon-pidfile=" + pidFile,
                "--exit-dir=" + exits,
                "--persist-dir=" + bundle.directory(),
                "--socket-dir-path=" + node.directory()));
        await(containerPid);
        await(pidFile);
        pid = Long.parseLong(Files.readString(pidFile).strip());
    }

    /// conmon itself wants the whole path.
    private static String runc() throws InterruptedException {
        return Spawn.run(Spawn.command("sh", "-c", "command -v runc"), PATIENCE)
                .outputText()
                .strip();
    }

    void start() throws InterruptedException {
        BareRunc.run(node, "start", bundle.id());
    }

    long pid() {
        return pid;
    }

    boolean hasEnded() {
        return Files.exists(exits.resolve(bundle.id()));
    }

    void delete() throws InterruptedException {
        BareRunc.run(node, "delete", "--force", bundle.id());
        Mounts.unmount(bundle.rootfs());
    }

    private static void await(Path file) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!Files.exists(file) || Files.size(file) == 0) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("conmon made no " + file);
            }
            Thread.sleep(5);
        }
    }
}
