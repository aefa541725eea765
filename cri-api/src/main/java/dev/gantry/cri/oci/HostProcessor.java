package dev.gantry.cri.oci;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// What the processor of this machine can do, in the terms of image platforms.
final class HostProcessor {

    // The levels of the x86-64 psABI, by the kernel's names of their features (pni is SSE3, abm is LZCNT).
    private static final List<Set<String>> AMD64_LEVELS = List.of(
            Set.of("cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"),
            Set.of("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"),
            Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"));

    private HostProcessor() {}

    static Platform platform() {
        return platform(System.getProperty("os.arch", ""), Path.of("/proc/cpuinfo"));
    }

    static Platform platform(String javaName, Path cpuinfo) {
        var plain = new Platform("linux", javaName, "");
        if (!plain.architecture().equals("amd64")) {
            return plain;
        }
        return new Platform("linux", "amd64", "v" + amd64Level(flags(cpuinfo)));
    }

    static int amd64Level(Set<String> flags) {
        int level = 1;
        for (Set<String> needed : AMD64_LEVELS) {
            if (!flags.containsAll(needed)) {
                break;
            }
            level++;
        }
        return level;
    }

    private static Set<String> flags(Path cpuinfo) {
        try (var lines = Files.lines(cpuinfo)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> Set.copyOf(List.of(
                            line.substring(line.indexOf(':') + 1).strip().split("\\s+", -1))))
                    .orElse(Set.of());
        } catch (IOException | UncheckedIOException _) {
            return Set.of(); // level 1 runs everywhere
        }
    }
}
