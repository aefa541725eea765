package dev.gantry.linux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// What the kernel says in a file of a cgroup or of /proc. Numbers are taken from the bytes as they stand, since such
/// files are read by the thousand.
public final class KernelText {

    private final byte[] bytes;

    KernelText(byte[] bytes) {
        this.bytes = bytes;
    }

    public static KernelText of(String text) {
        return new KernelText(text.getBytes(StandardCharsets.UTF_8));
    }

    /// The names of counters, prepared for [#counters].
    public static final class Names {

        private final byte[][] names;

        private Names(byte[][] names) {
            this.names = names;
        }

        public static Names of(List<String> names) {
            return new Names(names.stream()
                    .map(name -> name.getBytes(StandardCharsets.UTF_8))
                    .toArray(byte[][]::new));
        }
    }

    /// The number that the text begins with. `max` is [Long#MAX_VALUE], and so is what exceeds it; other text is 0.
    public long number() {
        return numberAt(0);
    }

    /// Of lines with a name and a number, the numbers of these names in their order; -1 for those that are not there.
    public long[] counters(Names wanted) {
        long[] values = new long[wanted.names.length];
        Arrays.fill(values, -1);
        for (int begin = 0; begin < bytes.length; ) {
            int space = next(' ', begin);
            int end = next('\n', begin);
            if (space < end) {
                for (int i = 0; i < values.length; i++) {
                    if (isAt(begin, space, wanted.names[i])) {
                        values[i] = numberAt(space + 1);
                    }
                }
            }
            begin = end + 1;
        }
        return values;
    }

    private int next(char wanted, int from) {
        int at = from;
        while (at < bytes.length && bytes[at] != wanted) {
            at++;
        }
        return at;
    }

    private boolean isAt(int begin, int end, byte[] name) {
        return end - begin == name.length
                && bytes[end - 1] == name[name.length - 1]
                && Arrays.equals(bytes, begin, end, name, 0, name.length);
    }

    private long numberAt(int index) {
        int at = index;
        boolean negative = at < bytes.length && bytes[at] == '-';
        if (negative) {
            at++;
        }
        if (at < bytes.length && bytes[at] == 'm') {
            return Long.MAX_VALUE; // max
        }
        long number = 0;
        for (; at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9'; at++) {
            int digit = bytes[at] - '0';
            if (number > (Long.MAX_VALUE - digit) / 10) {
                return Long.MAX_VALUE;
            }
            number = number * 10 + digit;
        }
        return negative ? -number : number;
    }

    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
