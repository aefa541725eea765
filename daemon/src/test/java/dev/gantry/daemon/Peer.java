package dev.gantry.daemon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/// A daemon under measurement that `hack/node` or `hack/containerd` started in a folder of its own.
///
/// @param daemon the name of its program
record Peer(String name, Path directory, String daemon) {

    /// Tells by the socket which it is.
    static Peer in(Path directory) {
        return Files.exists(directory.resolve("gantry.sock"))
                ? new Peer("gantry", directory, "gantryd")
                : new Peer("containerd", directory, "containerd");
    }

    Path socket() {
        return directory.resolve(name + ".sock");
    }

    Path logs() {
        return directory.resolve("pod-logs");
    }

    long pid() {
        try {
            return Long.parseLong(
                    Files.readString(directory.resolve(daemon + ".pid")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The daemon's own share of the memory, in KiB: what it has alone, and its part of what it shares.
    long daemonMemory() {
        return proportionalSet(pid());
    }

    /// Likewise of all its shims.
    long shimMemory() {
        return shims().mapToLong(Peer::proportionalSet).sum();
    }

    long shimCount() {
        return shims().count();
    }

    /// The shims carry a path below the folder as an argument.
    private Stream<Long> shims() {
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> read(file(pid, "comm")).startsWith("containerd-shim")
                        && read(file(pid, "cmdline")).contains(directory + "/"));
    }

    /// How long the daemon has used a CPU since its start, in milliseconds.
    long cpu() {
        return ProcessHandle.of(pid())
                .flatMap(it -> it.info().totalCpuDuration())
                .orElseThrow(() -> new IllegalStateException(name + " does not run"))
                .toMillis();
    }

    private static long proportionalSet(long pid) {
        return read(file(pid, "smaps_rollup"))
                .lines()
                .filter(line -> line.startsWith("Pss:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    private static Path file(long pid, String name) {
        return Path.of("/proc", Long.toString(pid), name);
    }

    /// Empty if the process has ended.
    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException _) {
            return "";
        }
    }

    /// The bytes of all files that it keeps in its root.
    long stored() {
        LongAdder sum = new LongAdder();
        try {
            Files.walkFileTree(directory.resolve("root"), new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    sum.add(attributes.size());
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                    if (e instanceof NoSuchFileException) { // removed meanwhile
                        return FileVisitResult.CONTINUE;
                    }
                    throw e;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return sum.sum();
    }
}
