package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// User namespaces that a file keeps alive, as [NetworkNamespaces] are, and mounts that show files with the owners
/// which such a namespace gives them.
///
/// The kernel lets no process with threads into a new user namespace, so a small program makes them
/// (`containerd-shim-gantry-v1 pin`).
public final class UserNamespaces {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long OPEN_TREE_CLONE = 1;
    private static final long MOVE_MOUNT_F_EMPTY_PATH = 4;
    private static final long MOUNT_ATTR_RDONLY = 1;
    private static final long MOUNT_ATTR_IDMAP = 0x100000;
    private static final long MS_PRIVATE = 1L << 18;

    private final Path program;

    /// @param program `containerd-shim-gantry-v1`
    public UserNamespaces(Path program) {
        this.program = program;
    }

    /// Makes a user namespace and pins it to a new file; with `network` also a network namespace that belongs to it,
    /// its loopback up, and pins that. Directories are made if need be. After a failure nothing is left pinned.
    ///
    /// A pin goes as one of a network namespace does: [NetworkNamespaces#remove].
    public void create(IdMapping users, IdMapping groups, Path user, Optional<Path> network)
            throws InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(program.toString(), "pin", users.toString(), groups.toString(), user.toString()));
        network.ifPresent(it -> command.add(it.toString()));
        makeParent(user);
        network.ifPresent(UserNamespaces::makeParent);
        Spawn.Result result = Spawn.run(Spawn.command(command).env("LC_ALL", "C"), PATIENCE);
        if (!result.ok()) {
            throw new IllegalStateException("cannot make a user namespace with ids %s and %s at %s: %s"
                    .formatted(users, groups, user, result.errorText()));
        }
    }

    /// Shows the one mount that `from` lies on, from there on, at `to` as the pinned user namespace sees it: its root
    /// owns what is root's in `from`. A private mount; needs Linux 5.12 and a file system that can do it.
    public static void mount(Path from, Path to, Path pin, boolean readonly) {
        try (Fd tree = idmapped(from, pin, readonly);
                Arena arena = Arena.ofConfined()) {
            long result = Kernel.call(
                    SystemCall.MOVE_MOUNT,
                    tree.value(),
                    Kernel.string(arena, "").address(),
                    Kernel.AT_FDCWD,
                    Kernel.string(arena, to).address(),
                    MOVE_MOUNT_F_EMPTY_PATH);
            Kernel.check(result, "mount " + from + " with shifted ids on", to);
        }
    }

    /// Fails as [#mount] would, and leaves nothing.
    public static void checkMount(Path from, Path pin) {
        idmapped(from, pin, true).close();
    }

    private static Fd idmapped(Path from, Path pin, boolean readonly) {
        try (Arena arena = Arena.ofConfined()) {
            long opened = Kernel.call(
                    SystemCall.OPEN_TREE,
                    Kernel.AT_FDCWD,
                    Kernel.string(arena, from).address(),
                    OPEN_TREE_CLONE | Kernel.O_CLOEXEC);
            Fd tree = new Fd((int) Kernel.check(opened, "open the mount of", from), from);
            try (Fd namespace = new Fd(Kernel.open(pin, Kernel.O_RDONLY, 0), pin)) {
                MemorySegment attributes = arena.allocate(JAVA_LONG, 4); // struct mount_attr
                attributes.setAtIndex(JAVA_LONG, 0, MOUNT_ATTR_IDMAP | (readonly ? MOUNT_ATTR_RDONLY : 0));
                attributes.setAtIndex(JAVA_LONG, 2, MS_PRIVATE);
                attributes.setAtIndex(JAVA_LONG, 3, namespace.value());
                long result = Kernel.call(
                        SystemCall.MOUNT_SETATTR,
                        tree.value(),
                        Kernel.string(arena, "").address(),
                        Kernel.AT_EMPTY_PATH,
                        attributes.address(),
                        attributes.byteSize());
                Kernel.check(result, "shift the ids of", from);
                return tree;
            } catch (RuntimeException e) {
                tree.close();
                throw e;
            }
        }
    }

    private static void makeParent(Path pin) {
        try {
            Path directory = pin.toAbsolutePath().getParent();
            if (directory != null) {
                Files.createDirectories(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the directory of " + pin, e);
        }
    }
}
