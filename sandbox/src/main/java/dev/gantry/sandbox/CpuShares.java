package dev.gantry.sandbox;

/// CPU shares of cgroup v1 (2 to 262144, usually 1024) and the weights of v2 (1 to 10000, usually 100) that stand for
/// them: a curve through the ends and the usual values of both, as OCI runtimes have it.
public final class CpuShares {

    private static final long LEAST = 2;
    private static final long MOST = 262_144;
    private static final long MOST_WEIGHT = 10_000;
    /// What floating point may be off by, next to a whole number.
    private static final double ROUNDING = 1e-9;

    private CpuShares() {}

    static long weight(long shares) {
        if (shares <= LEAST) {
            return 1;
        }
        if (shares >= MOST) {
            return MOST_WEIGHT;
        }
        double power = Math.log((double) shares) / Math.log(2);
        return (long) Math.ceil(Math.pow(10, (power * power + 125 * power) / 612 - 7.0 / 34) - ROUNDING);
    }

    /// The most shares that have this weight.
    public static long ofWeight(long weight) {
        if (weight <= 1) {
            return LEAST;
        }
        if (weight >= MOST_WEIGHT) {
            return MOST;
        }
        double square = 125 * 125 + 4 * 612 * (Math.log10((double) weight) + 7.0 / 34);
        return (long) Math.floor(Math.pow(2, (Math.sqrt(square) - 125) / 2) + ROUNDING);
    }
}
