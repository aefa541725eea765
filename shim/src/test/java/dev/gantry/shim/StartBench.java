package dev.gantry.shim;

import java.util.List;
import java.util.Optional;

/// How long a container's start takes in a pod that runs: Create and Start by each shim, and by runc alone, where this
/// program starts it; how long starting two programs takes it, which is in the figure of bare runc, is told too.
final class StartBench {

    private StartBench() {}

    static String measure(ShimBench.Programs programs, int rounds) throws Exception {
        BenchTable table = new BenchTable("ms, medians of " + rounds, "gantry", "runc-v2", "bare runc");
        ShimNode ours = new ShimNode(programs.ours());
        ShimNode theirs = new ShimNode(programs.theirs());
        try {
            Shim ourPod = ours.running("pod", "/bin/sleep", "1000").shim;
            Shim theirPod = theirs.running("pod", "/bin/sleep", "1000").shim;
            for (int round = -2; round < rounds; round++) { // two for the code to be warm
                BenchTable counted = round < 0 ? new BenchTable("", "gantry", "runc-v2", "bare runc") : table;
                shim(counted, "gantry", ours, ourPod, "c" + (round + 2));
                shim(counted, "runc-v2", theirs, theirPod, "c" + (round + 2));
                bare(counted, ours, "b" + (round + 2));
            }
        } finally {
            ours.end();
            theirs.end();
        }
        return table.toString();
    }

    private static void shim(BenchTable table, String column, ShimNode node, Shim pod, String id) throws Exception {
        ShimNode.Container container =
                node.container(id, "pod", Optional.of(pod), ShimNode.OUTPUT, "/bin/sleep", "1000");
        long begin = System.nanoTime();
        container.create();
        long created = System.nanoTime();
        container.start();
        add(table, column, begin, created, System.nanoTime());
        container.remove();
    }

    private static void bare(BenchTable table, ShimNode node, String id) throws Exception {
        BareRunc container = new BareRunc(node, id);
        long begin = System.nanoTime();
        container.create();
        long created = System.nanoTime();
        container.start();
        add(table, "bare runc", begin, created, System.nanoTime());
        container.delete();
        long nothing = System.nanoTime();
        BareRunc.run(List.of("true"));
        BareRunc.run(List.of("true"));
        table.add("two programs that do nothing", "bare runc", (System.nanoTime() - nothing) / 1e6);
    }

    private static void add(BenchTable table, String column, long begin, long created, long started) {
        table.add("create", column, (created - begin) / 1e6);
        table.add("start", column, (started - created) / 1e6);
        table.add("create and start", column, (started - begin) / 1e6);
    }
}
