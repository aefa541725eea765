package dev.gantry.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What has passed through an interface of a network namespace.
public record NetworkDevice(
        String name,
        long receivedBytes,
        long receivedPackets,
        long receiveErrors,
        long receiveDrops,
        long sentBytes,
        long sentPackets,
        long sendErrors,
        long sendDrops) {

    private static final int COLUMNS = 16;

    /// The interfaces of a namespace, as a process in it sees them, but for the loopback. Empty when the process has
    /// gone, even if its id has come to mean another.
    ///
    /// @param pin the file that keeps the namespace
    public static List<NetworkDevice> of(int pid, Path pin) {
        Path process = Path.of("/proc", Integer.toString(pid));
        try {
            if (!Files.getAttribute(process.resolve("ns/net"), "unix:ino")
                    .equals(Files.getAttribute(pin, "unix:ino"))) {
                return List.of();
            }
        } catch (IOException _) {
            return List.of();
        }
        return KernelFile.read(process.resolve("net/dev"))
                .map(NetworkDevice::parse)
                .orElse(List.of());
    }

    /// After two lines of headings, one for each interface, whose name may stand close to the first number:
    ///
    ///     eth0:  1234 10 0 0 0 0 0 0  5678 20 0 0 0 0 0 0
    static List<NetworkDevice> parse(String table) {
        List<NetworkDevice> devices = new ArrayList<>();
        for (String line : table.lines().skip(2).toList()) {
            int colon = line.lastIndexOf(':');
            String[] columns = line.substring(colon + 1).strip().split("\\s+", -1);
            String name = line.substring(0, Math.max(colon, 0)).strip();
            if (columns.length < COLUMNS || name.isEmpty() || name.equals("lo")) {
                continue;
            }
            devices.add(new NetworkDevice(
                    name,
                    Long.parseLong(columns[0]),
                    Long.parseLong(columns[1]),
                    Long.parseLong(columns[2]),
                    Long.parseLong(columns[3]),
                    Long.parseLong(columns[8]),
                    Long.parseLong(columns[9]),
                    Long.parseLong(columns[10]),
                    Long.parseLong(columns[11])));
        }
        return devices;
    }
}
