package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// Tells the service manager that started this process how it gets on, by the protocol of
/// [sd_notify(3)](https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html).
public final class ServiceManager {

    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | Kernel.O_CLOEXEC;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int LONGEST_PATH = 107;

    private ServiceManager() {}

    /// Sends one message, such as `READY=1`, as a datagram.
    ///
    /// @param socket the value of `NOTIFY_SOCKET`: a path, or `@` and a name that lies in no file system
    public static void tell(String socket, String message) {
        byte[] name = socket.getBytes(StandardCharsets.UTF_8);
        if (name.length > LONGEST_PATH || name.length < 2 || (name[0] != '/' && name[0] != '@')) {
            throw new IllegalArgumentException("not the address of a service manager: " + socket);
        }
        if (name[0] == '@') {
            name[0] = 0;
        }
        long fd = Kernel.call(SystemCall.SOCKET, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
        Kernel.check(fd, "open a socket to", socket);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(2 + name.length, 2);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
            MemorySegment text = arena.allocateFrom(message);
            long length = text.byteSize() - 1; // without the NUL
            long sent = Kernel.call(
                    SystemCall.SENDTO, fd, text.address(), length, MSG_NOSIGNAL, address.address(), address.byteSize());
            Kernel.check(sent, "tell the service manager at", socket);
        } finally {
            Kernel.close((int) fd);
        }
    }
}
