package dev.gantry.linux;

import java.util.Optional;

/// Pressure stall information of a group (version 2 only): how long tasks waited for a resource.
///
/// @param some at least one task waited
/// @param full all of them did; older kernels leave it out for the CPU
public record Pressure(Optional<Stall> some, Optional<Stall> full) {

    /// @param totalMicros how long in all
    /// @param average10   percent of the last ten seconds, and so on
    public record Stall(double average10, double average60, double average300, long totalMicros) {}

    /// Lines such as `some avg10=0.00 avg60=1.50 avg300=0.90 total=184`.
    public static Pressure parse(KernelText text) {
        Optional<Stall> some = Optional.empty();
        Optional<Stall> full = Optional.empty();
        for (String line : text.toString().split("\n", -1)) {
            if (line.startsWith("some ")) {
                some = Optional.of(stall(line));
            } else if (line.startsWith("full ")) {
                full = Optional.of(stall(line));
            }
        }
        return new Pressure(some, full);
    }

    private static Stall stall(String line) {
        return new Stall(
                Double.parseDouble(value(line, "avg10=")),
                Double.parseDouble(value(line, "avg60=")),
                Double.parseDouble(value(line, "avg300=")),
                Long.parseLong(value(line, "total=")));
    }

    private static String value(String line, String key) {
        int begin = line.indexOf(key);
        if (begin < 0) {
            return "0";
        }
        int end = line.indexOf(' ', begin);
        return line.substring(begin + key.length(), end < 0 ? line.length() : end);
    }
}
