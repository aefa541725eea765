package dev.gantry.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The mounts that this process sees, read anew at each call.
///
/// A line: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
public final class MountTable {

    private static final Path FILE = Path.of("/proc/self/mountinfo");

    private MountTable() {}

    public static List<MountInfo> read() {
        try {
            // Not as UTF-8 with errors: a container may have mounted on any bytes.
            return parse(new String(Files.readAllBytes(FILE), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + FILE, e);
        }
    }

    /// The topmost mount on exactly this path.
    public static Optional<MountInfo> of(Path target) {
        return read().reversed().stream()
                .filter(mount -> mount.target().equals(target))
                .findFirst();
    }

    static List<MountInfo> parse(String table) {
        List<MountInfo> mounts = new ArrayList<>();
        for (String line : table.split("\n", -1)) {
            parseLine(line).ifPresent(mounts::add);
        }
        return mounts;
    }

    private static Optional<MountInfo> parseLine(String line) {
        String[] fields = line.split(" ", -1);
        int separator = 6;
        while (separator < fields.length && !fields[separator].equals("-")) {
            separator++;
        }
        if (separator + 3 >= fields.length) {
            return Optional.empty();
        }
        return Optional.of(new MountInfo(
                Integer.parseInt(fields[0]),
                Integer.parseInt(fields[1]),
                unescape(fields[3]),
                Path.of(unescape(fields[4])),
                Set.of(fields[5].split(",", -1)),
                List.of(fields).subList(6, separator),
                fields[separator + 1],
                unescape(fields[separator + 2]),
                fields[separator + 3]));
    }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    static String unescape(String field) {
        if (field.indexOf('\\') < 0) {
            return field;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && isOctal(field, i + 1)) {
                text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    private static boolean isOctal(String field, int from) {
        if (from + 3 > field.length()) {
            return false;
        }
        for (int i = from; i < from + 3; i++) {
            if (field.charAt(i) < '0' || field.charAt(i) > '7') {
                return false;
            }
        }
        return true;
    }
}
