package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/// Network namespaces that a file keeps alive, as `ip netns` does: the namespace is mounted on the
/// file (its pin) and lives until it is unmounted and no process is left in it.
public final class NetworkNamespaces {

    private static final long CLONE_NEWNET = 0x40000000L;
    private static final long NSFS_MAGIC = 0x6e736673L;
    private static final int AF_INET = 2;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | Kernel.O_CLOEXEC;
    private static final int SIOCGIFFLAGS = 0x8913;
    private static final int SIOCSIFFLAGS = 0x8914;
    private static final int IFREQ_SIZE = 40;
    private static final int IFREQ_FLAGS = 16;
    private static final short IFF_UP = 1;

    private NetworkNamespaces() {}

    /// Makes a namespace with its loopback up and pins it to a new file; the directory is made if need
    /// be. An existing file is EEXIST. After a failure nothing is left.
    public static void create(Path pin) {
        createPin(pin);
        try {
            OwnThread.call("netns-create", () -> {
                Kernel.check(Kernel.call(SystemCall.UNSHARE, CLONE_NEWNET), "make a network namespace for", pin);
                raiseLoopback();
                Mounts.bind(Path.of("/proc/thread-self/ns/net"), pin, false, false);
                return true;
            });
        } catch (RuntimeException failure) {
            try {
                remove(pin);
            } catch (RuntimeException second) {
                failure.addSuppressed(second);
            }
            throw failure;
        }
    }

    /// Unpins and removes the file. What is gone already is well.
    public static void remove(Path pin) {
        Mounts.detach(pin);
        try {
            Files.deleteIfExists(pin);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove network namespace " + pin, e);
        }
    }

    /// Whether a namespace is pinned there; a plain file, left by a reboot, is none.
    public static boolean exists(Path pin) {
        try {
            return FileSystems.statfs(pin).type() == NSFS_MAGIC;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
                return false;
            }
            throw e;
        }
    }

    /// Runs `work` inside the namespace, on a thread of its own.
    public static <T> T call(Path pin, Callable<T> work) {
        return OwnThread.call("netns-call", () -> {
            int fd = Kernel.open(pin, Kernel.O_RDONLY, 0);
            try {
                Kernel.check(Kernel.call(SystemCall.SETNS, fd, CLONE_NEWNET), "enter network namespace", pin);
            } finally {
                Kernel.close(fd);
            }
            return work.call();
        });
    }

    private static void createPin(Path pin) {
        try {
            Path directory = pin.toAbsolutePath().getParent();
            if (directory != null) {
                Files.createDirectories(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the directory of " + pin, e);
        }
        Kernel.close(Kernel.open(pin, Kernel.O_RDONLY | Kernel.O_CREAT | Kernel.O_EXCL, 0));
    }

    private static void raiseLoopback() {
        long socket = Kernel.call(SystemCall.SOCKET, AF_INET, SOCK_DGRAM_CLOEXEC, 0);
        Kernel.check(socket, "open a socket to raise", "lo");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(IFREQ_SIZE);
            MemorySegment.copy(
                    MemorySegment.ofArray("lo".getBytes(StandardCharsets.US_ASCII)),
                    JAVA_BYTE,
                    0,
                    request,
                    JAVA_BYTE,
                    0,
                    2);
            Kernel.check(
                    Kernel.call(SystemCall.IOCTL, socket, SIOCGIFFLAGS, request.address()), "read the flags of", "lo");
            request.set(JAVA_SHORT, IFREQ_FLAGS, (short) (request.get(JAVA_SHORT, IFREQ_FLAGS) | IFF_UP));
            Kernel.check(Kernel.call(SystemCall.IOCTL, socket, SIOCSIFFLAGS, request.address()), "raise", "lo");
        } finally {
            Kernel.close((int) socket);
        }
    }
}
