package dev.gantry.shim;

import dev.gantry.linux.PidFd;
import dev.gantry.linux.Signals;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// From SIGKILL of a container's first process to the event that says it has ended; our shim has synced its record to
/// the disk by then.
final class KillBench {

    private KillBench() {}

    static String measure(ShimBench.Programs programs, int rounds) throws Exception {
        BenchTable table = new BenchTable("ms, medians of " + rounds, "gantry", "runc-v2");
        ShimNode ours = new ShimNode(programs.ours());
        ShimNode theirs = new ShimNode(programs.theirs());
        try {
            Shim ourPod = ours.running("pod", "/bin/sleep", "1000").shim;
            Shim theirPod = theirs.running("pod", "/bin/sleep", "1000").shim;
            for (int round = 0; round < rounds; round++) {
                table.add("kill to exit event", "gantry", kill(ours, ourPod, "c" + round));
                table.add("kill to exit event", "runc-v2", kill(theirs, theirPod, "c" + round));
            }
        } finally {
            ours.end();
            theirs.end();
        }
        return table.toString();
    }

    private static double kill(ShimNode node, Shim pod, String id) throws Exception {
        ShimNode.Container container =
                node.container(id, "pod", Optional.of(pod), ShimNode.OUTPUT, "/bin/sleep", "1000");
        container.create();
        container.start();
        node.events.clear();
        long begin;
        try (PidFd process = PidFd.open(container.pid)) {
            begin = System.nanoTime();
            process.signal(Signals.KILL);
        }
        String event = node.events.poll(10, TimeUnit.SECONDS);
        double millis = (System.nanoTime() - begin) / 1e6;
        if (!("exit " + id + " - 137").equals(event)) {
            throw new IllegalStateException("instead of the exit of %s came: %s".formatted(id, event));
        }
        container.remove();
        return millis;
    }
}
