package dev.gantry.shim;

import dev.gantry.linux.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How long a single write to a log on a throttled disk keeps our shim, which has one thread; the stand gives us such a
/// disk as the folder in `GANTRY_BENCH_SLOW`.
final class StallBench {

    private static final long TOTAL = 4 << 20;
    private static final int MAX_LINE = 16384;

    private StallBench() {}

    static String measure(ShimBench.Programs programs) throws Exception {
        Path log = Path.of(System.getenv("GANTRY_BENCH_SLOW")).resolve("stall.log");
        ShimNode node = new ShimNode(programs.ours());
        try {
            java.nio.file.Files.copy(programs.flood(), node.directory().resolve("image/bin/flood"));
            ShimNode.Container container =
                    node.prepare("slow", "slow", false, "/bin/flood", "100", Long.toString(TOTAL));
            container.shim = node.shims().start(node.binary, container.bundle, "slow", Optional.empty(), ShimNode.LONG);
            Mount root = new Mount("bind", node.directory().resolve("image").toString(), Path.of(""), List.of("rbind"));
            Stdio stdio = ShimStreams.logged(log, MAX_LINE, false, false, false);
            container.shim.create("slow", container.bundle, List.of(root), stdio, node.options);
            long begin = System.nanoTime();
            container.shim.start("slow");
            container.shim.wait("slow", Optional.empty()).get();
            double seconds = (System.nanoTime() - begin) / 1e9;
            LogCounters counters = container.shim.streams().orElseThrow().logCounters("slow");
            container.shim.delete("slow", Optional.empty());
            container.shim.shutdown("slow");
            return String.format(
                    Locale.ROOT,
                    "throttled disk: %d MiB of output in %.1f s, longest single write %d ms, %d bytes lost",
                    TOTAL >> 20,
                    seconds,
                    counters.longestStall().toMillis(),
                    counters.lostBytes());
        } finally {
            node.end();
        }
    }
}
