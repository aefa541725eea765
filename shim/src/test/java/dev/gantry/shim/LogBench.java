package dev.gantry.shim;

import dev.gantry.linux.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How fast a container's output gets into its log on a tmpfs, and what that costs the process that writes the log.
///
/// Ours and conmon write the CRI format, ours with a timestamp for each line, conmon with one for each read.
/// containerd's shim writes no such log: it copies to a plain file here, and the daemon's part is missing from its
/// figures.
final class LogBench {

    private static final long MIB = 1 << 20;
    private static final int MAX_LINE = 16384;

    private LogBench() {}

    static String measure(ShimBench.Programs programs, int rounds) throws Exception {
        BenchTable speed = new BenchTable("MB of output per second", "gantry", "conmon", "runc-v2 file");
        BenchTable cost = new BenchTable("CPU ms per MB of output", "gantry", "conmon", "runc-v2 file");
        ShimNode ours = new ShimNode(programs.ours());
        ShimNode theirs = new ShimNode(programs.theirs());
        try {
            for (ShimNode node : List.of(ours, theirs)) {
                Files.copy(programs.flood(), node.directory().resolve("image/bin/flood"));
            }
            for (int line : new int[] {20, 100, 1000}) {
                long total = (line == 20 ? 128 : 512) * MIB / line * line;
                for (int round = 0; round < rounds; round++) {
                    String row = line + "-byte lines";
                    String id = "l" + line + "-" + round;
                    add(speed, cost, row, "gantry", total, shim(ours, id, line, total, true));
                    add(speed, cost, row, "conmon", total, conmon(ours, "m" + id, line, total));
                    add(speed, cost, row, "runc-v2 file", total, shim(theirs, id, line, total, false));
                }
            }
        } finally {
            ours.end();
            theirs.end();
        }
        return speed + "\n" + cost;
    }

    /// @param seconds from the start to the last byte in the log
    /// @param cpu     seconds of the process that writes it
    private record Run(double seconds, double cpu) {}

    private static void add(BenchTable speed, BenchTable cost, String row, String column, long total, Run run) {
        speed.add(row, column, total / 1e6 / run.seconds());
        cost.add(row, column, run.cpu() * 1e3 / (total / 1e6));
    }

    private static Run shim(ShimNode node, String id, int line, long total, boolean cri) throws Exception {
        Path log = node.directory().resolve(id + ".log");
        Stdio stdio = cri
                ? ShimStreams.logged(log, MAX_LINE, false, false, false)
                : new Stdio("", "file://" + log, "file://" + log, false);
        ShimNode.Container container =
                node.prepare(id, id, false, "/bin/flood", Integer.toString(line), Long.toString(total));
        container.shim = node.shims().start(node.binary, container.bundle, id, Optional.empty(), ShimNode.LONG);
        Mount root =
                new Mount("bind", node.directory().resolve("image").toString(), Path.of(""), List.of("rbind", "ro"));
        container.shim.create(id, container.bundle, List.of(root), stdio, node.options);
        int pid = container.shim.shimPid();
        double before = ProcessFigures.cpuSeconds(pid);
        long begin = System.nanoTime();
        container.shim.start(id);
        container.shim.wait(id, Optional.empty()).get();
        container.shim.delete(id, Optional.empty()); // when all is in the log
        double seconds = (System.nanoTime() - begin) / 1e9;
        double cpu = ProcessFigures.cpuSeconds(pid) - before;
        container.shim.shutdown(id);
        check(log, total, line, cri);
        return new Run(seconds, cpu);
    }

    private static Run conmon(ShimNode node, String id, int line, long total) throws Exception {
        Path log = node.directory().resolve(id + ".log");
        Conmon conmon = new Conmon(node, id, "/bin/flood", Integer.toString(line), Long.toString(total));
        conmon.create(log);
        double before = ProcessFigures.cpuSeconds(conmon.pid());
        double cpu = 0;
        long begin = System.nanoTime();
        conmon.start();
        while (!conmon.hasEnded()) {
            cpu = lastCpu(conmon.pid(), before, cpu); // it is gone soon after the container
            Thread.sleep(2);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        cpu = lastCpu(conmon.pid(), before, cpu);
        conmon.delete();
        check(log, total, line, true);
        return new Run(seconds, cpu);
    }

    private static double lastCpu(long pid, double before, double known) {
        try {
            return ProcessFigures.cpuSeconds(pid) - before;
        } catch (IOException _) {
            return known;
        }
    }

    /// A log that lacks output would be fast for nothing.
    private static void check(Path log, long total, int line, boolean cri) throws IOException {
        long least = total + (cri ? total / line * 40 : 0);
        long size = Files.size(log);
        Files.delete(log);
        if (size < least) {
            throw new IllegalStateException(
                    String.format(Locale.ROOT, "%s has %d bytes, and %d were to come", log.getFileName(), size, least));
        }
    }
}
