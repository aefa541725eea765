package dev.gantry.shim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the kernel counts for a process.
final class ProcessFigures {

    /// Of `/proc/PID/stat`; the kernel's unit for user space is a hundredth of a second everywhere.
    private static final double TICKS_PER_SECOND = 100;

    private ProcessFigures() {}

    /// Processor time, user and system, in seconds, to a hundredth.
    static double cpuSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }

    /// The share of memory that is this process's, in KiB.
    static long pss(long pid) throws IOException {
        return rollup(pid, "Pss:");
    }

    /// What would come free if the process ended, in KiB.
    static long ownMemory(long pid) throws IOException {
        return rollup(pid, "Private_Clean:") + rollup(pid, "Private_Dirty:");
    }

    private static long rollup(long pid, String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup")).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.replaceAll("[^0-9]", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow();
    }
}
