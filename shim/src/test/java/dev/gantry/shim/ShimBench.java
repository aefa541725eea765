package dev.gantry.shim;

import java.nio.file.Path;

/// The client of `hack/bench shim`: drives shims, conmon and bare runc, and prints what it measured, in tables.
///
/// `ShimBench WHAT ROUNDS OURS THEIRS FLOOD`: WHAT is `start`, `kill`, `log`, `memory` or `stall`; OURS and THEIRS are
/// the shims, FLOOD the program that writes lines (`flood.c`). runc and conmon are found in PATH.
public final class ShimBench {

    private ShimBench() {}

    /// @param ours   our shim
    /// @param theirs containerd's
    /// @param flood  writes lines
    record Programs(Path ours, Path theirs, Path flood) {}

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[1]);
        Programs programs = new Programs(Path.of(arguments[2]), Path.of(arguments[3]), Path.of(arguments[4]));
        System.out.println(
                switch (arguments[0]) {
                    case "start" -> StartBench.measure(programs, rounds);
                    case "kill" -> KillBench.measure(programs, rounds);
                    case "log" -> LogBench.measure(programs, rounds);
                    case "memory" -> MonitorMemoryBench.measure(programs, rounds);
                    case "stall" -> StallBench.measure(programs);
                    default -> throw new IllegalArgumentException("nothing is called " + arguments[0]);
                });
    }
}
