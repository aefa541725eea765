package dev.gantry.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The sizes of huge pages that the kernel has.
public final class HugepageSizes {

    private static final Path FOLDER = Path.of("/sys/kernel/mm/hugepages");

    private HugepageSizes() {}

    /// As the files of cgroups name them: `2MB`, `1GB`.
    public static List<String> names() {
        try (Stream<Path> entries = Files.list(FOLDER)) {
            return entries.map(it -> String.valueOf(it.getFileName()))
                    .filter(it -> it.matches("hugepages-[0-9]{1,12}kB"))
                    .map(it -> Long.parseLong(it.substring("hugepages-".length(), it.length() - 2)))
                    .sorted()
                    .map(HugepageSizes::name)
                    .toList();
        } catch (IOException _) {
            return List.of();
        }
    }

    static String name(long kibibytes) {
        if (kibibytes >= 1 << 20) {
            return (kibibytes >> 20) + "GB";
        }
        return kibibytes >= 1 << 10 ? (kibibytes >> 10) + "MB" : kibibytes + "KB";
    }
}
