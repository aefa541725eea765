package dev.gantry.linux;

import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;

/// Names of block devices.
public final class BlockDevices {

    private static final int MOST_KNOWN = 1000;
    private static final ConcurrentHashMap<String, String> NAMES = new ConcurrentHashMap<>();

    private BlockDevices() {}

    /// `/dev/vda` for `254:0`; the numbers themselves for a device that the kernel does not know any more.
    ///
    /// @param numbers major and minor
    public static String name(String numbers) {
        if (NAMES.size() > MOST_KNOWN) {
            NAMES.clear();
        }
        return NAMES.computeIfAbsent(
                numbers,
                it -> KernelFile.read(Path.of("/sys/dev/block", it, "uevent")).stream()
                        .flatMap(String::lines)
                        .filter(line -> line.startsWith("DEVNAME="))
                        .map(line -> "/dev/" + line.substring("DEVNAME=".length()))
                        .findFirst()
                        .orElse(it));
    }
}
