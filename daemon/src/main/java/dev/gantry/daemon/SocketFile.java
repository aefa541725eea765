package dev.gantry.daemon;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/// The path of the daemon's Unix socket, from the bind to the removal.
///
/// A socket gets its owner and mode only after the bind made it, so it is bound inside a folder that
/// nobody else can enter and renamed to its place when it is as it should be: whoever can connect may.
final class SocketFile {

    /// Of a path, in bytes: 107 is the kernel's limit, and the folder's name needs some of them.
    static final int LONGEST_PATH = 98;

    private final Path address;
    private final Path nursery;

    private SocketFile(Path address, Path nursery) {
        this.address = address;
        this.nursery = nursery;
    }

    /// Makes sure that nobody serves at the address, and a folder to bind in.
    ///
    /// @throws DaemonException.AlreadyRunning if somebody answers there
    /// @throws DaemonException.CannotListen if something that is no socket is there, or the folder is not writable
    static SocketFile reserve(Path address) {
        refuseIfTaken(address);
        Path parent = address.getParent();
        try {
            Files.createDirectories(parent);
            var ours = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
            return new SocketFile(address, Files.createTempDirectory(parent, ".g", ours));
        } catch (IOException e) {
            throw cannot(address, e);
        }
    }

    /// Where to bind.
    Path nursling() {
        return nursery.resolve("s");
    }

    /// Gives the bound socket its owner and mode and moves it to its place, over a stale one.
    void publish(int mode, int uid, int gid) {
        try {
            Path socket = nursling();
            Files.setAttribute(socket, "unix:uid", uid);
            Files.setAttribute(socket, "unix:gid", gid);
            Files.setAttribute(socket, "unix:mode", mode);
            Files.move(socket, address, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.delete(nursery);
        } catch (IOException e) {
            throw cannot(address, e);
        }
    }

    /// Removes what [#reserve] made if the bind failed.
    void abandon() {
        try {
            Files.deleteIfExists(nursling());
            Files.deleteIfExists(nursery);
        } catch (IOException e) {
            throw cannot(address, e);
        }
    }

    /// Removes the socket, after which new clients see that nobody serves.
    void remove() {
        try {
            Files.deleteIfExists(address);
        } catch (IOException e) {
            throw cannot(address, e);
        }
    }

    private static void refuseIfTaken(Path address) {
        try {
            Map<String, Object> status = Files.readAttributes(address, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if (!(status.get("mode") instanceof Integer mode) || (mode & 0170000) != 0140000) {
                throw new DaemonException.CannotListen(
                        "cannot listen on " + address + ": something that is no socket is there; remove it");
            }
            if (answers(address)) {
                throw new DaemonException.AlreadyRunning(
                        "cannot listen on " + address + ": another process serves there; stop it or choose --address");
            }
        } catch (NoSuchFileException _) {
            // free
        } catch (IOException e) {
            throw cannot(address, e);
        }
    }

    private static boolean answers(Path address) throws IOException {
        try (SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(address))) {
            return true;
        } catch (ConnectException _) {
            return false;
        }
    }

    private static DaemonException cannot(Path address, IOException e) {
        return new DaemonException.CannotListen("cannot listen on " + address + ": " + e, e);
    }
}
