package dev.gantry.linux;

import java.util.List;
import java.util.Locale;

/// Signal names and sending.
public final class Signals {

    public static final int HUP = 1;
    public static final int KILL = 9;
    public static final int TERM = 15;

    // By number, from 1. The same on x86_64 and aarch64.
    private static final List<String> NAMES = List.of(
            "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
            "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
            "WINCH", "IO", "PWR", "SYS");

    // As programs see them: the C library keeps 32 and 33 for itself.
    private static final int RTMIN = 34;
    private static final int RTMAX = 64;

    private Signals() {}

    /// The number of a signal written `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`, in any case.
    ///
    /// @throws IllegalArgumentException when it is none
    public static int number(String nameOrNumber) {
        String name = nameOrNumber.strip().toUpperCase(Locale.ROOT);
        if (name.startsWith("SIG")) {
            name = name.substring(3);
        }
        int number = NAMES.indexOf(name) + 1;
        if (number == 0) {
            number = switch (name) {
                case "IOT" -> 6;
                case "CLD" -> 17;
                case "POLL" -> 29;
                default -> numbered(name);
            };
        }
        if (number < 1 || number > RTMAX) {
            throw new IllegalArgumentException("unknown signal: " + nameOrNumber);
        }
        return number;
    }

    /// Sends a signal; false when there is no such process (any more). A negative pid is a process group.
    ///
    /// A pid may have been given to another process meanwhile: prefer [PidFd#signal].
    public static boolean kill(int pid, int signal) {
        long result = Kernel.call(SystemCall.KILL, pid, signal);
        if (Kernel.failed(result, Errno.ESRCH)) {
            return false;
        }
        Kernel.check(result, "send signal " + signal + " to process", pid);
        return true;
    }

    private static int numbered(String name) {
        if (name.startsWith("RTMIN")) {
            return realtime(RTMIN, name.substring(5), '+');
        }
        if (name.startsWith("RTMAX")) {
            return realtime(RTMAX, name.substring(5), '-');
        }
        return digits(name);
    }

    private static int realtime(int base, String offset, char sign) {
        if (offset.isEmpty()) {
            return base;
        }
        int steps = offset.charAt(0) == sign ? digits(offset.substring(1)) : -1;
        if (steps < 0 || steps > RTMAX - RTMIN) {
            return -1;
        }
        return sign == '+' ? base + steps : base - steps;
    }

    private static int digits(String text) {
        boolean plain = !text.isEmpty() && text.length() < 4 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        return plain ? Integer.parseInt(text) : -1;
    }
}
