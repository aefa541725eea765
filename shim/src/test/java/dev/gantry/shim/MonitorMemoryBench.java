package dev.gantry.shim;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The memory of what watches a pod with a pause container and one container: one shim, or two conmons.
final class MonitorMemoryBench {

    private MonitorMemoryBench() {}

    static String measure(ShimBench.Programs programs, int pods) throws Exception {
        BenchTable table = new BenchTable("KiB a pod, of " + pods + " pods", "gantry", "runc-v2", "2 conmon");
        shims(table, "gantry", programs.ours(), pods);
        shims(table, "runc-v2", programs.theirs(), pods);
        conmons(table, programs.ours(), pods);
        return table.toString();
    }

    private static void shims(BenchTable table, String column, Path shim, int pods) throws Exception {
        ShimNode node = new ShimNode(shim);
        try {
            List<Long> pids = new ArrayList<>();
            for (int pod = 0; pod < pods; pod++) {
                Shim first = node.running("pod" + pod, "/bin/sleep", "1000").shim;
                ShimNode.Container second = node.container(
                        "app" + pod, "pod" + pod, Optional.of(first), ShimNode.OUTPUT, "/bin/sleep", "1000");
                second.create();
                second.start();
                pids.add((long) first.shimPid());
            }
            add(table, column, pids, pods);
        } finally {
            node.end();
        }
    }

    private static void conmons(BenchTable table, Path anyShim, int pods) throws Exception {
        ShimNode node = new ShimNode(anyShim); // for its folders alone
        List<Conmon> running = new ArrayList<>();
        try {
            for (int i = 0; i < 2 * pods; i++) {
                Conmon conmon = new Conmon(node, "c" + i, "/bin/sleep", "1000");
                running.add(conmon);
                conmon.create(node.directory().resolve("c" + i + ".log"));
                conmon.start();
            }
            add(table, "2 conmon", running.stream().map(Conmon::pid).toList(), pods);
        } finally {
            for (Conmon conmon : running) {
                conmon.delete();
            }
            node.end();
        }
    }

    private static void add(BenchTable table, String column, List<Long> pids, int pods)
            throws IOException, InterruptedException {
        Thread.sleep(2000); // what was needed for the start alone is given back
        long pss = 0;
        long own = 0;
        for (long pid : pids) {
            pss += ProcessFigures.pss(pid);
            own += ProcessFigures.ownMemory(pid);
        }
        table.add("PSS", column, (double) pss / pods);
        table.add("private", column, (double) own / pods);
    }
}
