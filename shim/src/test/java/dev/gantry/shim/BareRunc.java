package dev.gantry.shim;

import dev.gantry.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A container that runc makes with no shim at all: what every shim is measured by.
final class BareRunc {

    private final ShimNode node;
    private final Bundle bundle;

    BareRunc(ShimNode node, String id) throws IOException {
        this.node = node;
        this.bundle = node.prepare(id, id, false, "/bin/sleep", "1000").bundle;
        Mounts.bind(node.directory().resolve("image"), bundle.rootfs(), true, true);
    }

    void create() throws InterruptedException {
        run("create", "--bundle", bundle.directory().toString(), bundle.id());
    }

    void start() throws InterruptedException {
        run("start", bundle.id());
    }

    void delete() throws InterruptedException {
        run("delete", "--force", bundle.id());
        Mounts.unmount(bundle.rootfs());
    }

    private void run(String... arguments) throws InterruptedException {
        run(node, arguments);
    }

    /// runc with this node's root, as a shim calls it.
    static void run(ShimNode node, String... arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("runc", "--root", root(node).toString(), "--log", "/dev/null", "--log-format", "json"));
        command.addAll(List.of(arguments));
        run(command);
    }

    /// Without pipes, which the container would inherit and hold.
    static void run(List<String> command) throws InterruptedException {
        try {
            int status = new ProcessBuilder(command)
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IllegalStateException("%s failed with %d".formatted(command, status));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + command, e);
        }
    }

    static Path root(ShimNode node) {
        return node.directory().resolve("bare-runc");
    }
}
