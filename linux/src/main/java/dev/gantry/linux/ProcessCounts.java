package dev.gantry.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;

/// How many processes there are and what they hold open, counted in /proc.
///
/// @param descriptors of all of them; empty where that are too many to be counted
/// @param sockets     those of the descriptors that are sockets
public record ProcessCounts(long processes, OptionalLong descriptors, OptionalLong sockets) {

    /// What takes some ten milliseconds.
    private static final int MOST_DESCRIPTORS = 5000;

    /// Processes that end meanwhile count, but hold nothing.
    public static ProcessCounts of(Collection<Integer> pids) {
        long descriptors = 0;
        long sockets = 0;
        for (int pid : pids) {
            try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc", pid + "/fd"))) {
                for (Path link : links) {
                    if (++descriptors > MOST_DESCRIPTORS) {
                        return new ProcessCounts(pids.size(), OptionalLong.empty(), OptionalLong.empty());
                    }
                    if (isSocket(link)) {
                        sockets++;
                    }
                }
            } catch (IOException | java.nio.file.DirectoryIteratorException _) {
                // It has ended.
            }
        }
        return new ProcessCounts(pids.size(), OptionalLong.of(descriptors), OptionalLong.of(sockets));
    }

    private static boolean isSocket(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().startsWith("socket:");
        } catch (IOException _) {
            return false; // closed meanwhile
        }
    }

    /// How many files a process may have open, unless it raises that itself; empty without a limit, or without the
    /// process.
    public static OptionalLong openFilesLimit(int pid) {
        Optional<String> line = KernelFile.read(Path.of("/proc", pid + "/limits")).stream()
                .flatMap(String::lines)
                .filter(it -> it.startsWith("Max open files"))
                .findFirst();
        String[] words = line.orElse("").strip().split("\\s+", -1);
        return words.length > 3 && words[3].matches("[0-9]{1,18}")
                ? OptionalLong.of(Long.parseLong(words[3]))
                : OptionalLong.empty();
    }
}
