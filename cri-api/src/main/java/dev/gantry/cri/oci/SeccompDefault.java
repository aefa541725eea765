package dev.gantry.cri.oci;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The seccomp profile of containers that ask for the runtime's default one.
///
/// The profile depends on the bounding set of the container: some capabilities bring system calls with them, and
/// CAP_SYS_ADMIN lifts a restriction. It comes from the table `seccomp-default.tsv`, with the columns when (`always`,
/// `CAP_X` or `CAP_X removes`), system call, action, condition on an argument, and errno. Containers of a node differ
/// in few sets, so each profile is encoded once and kept. Thread-safe.
public final class SeccompDefault {

    private static final String TABLE = "seccomp-default.tsv";
    /// The node's own way of calling the kernel first.
    private static final List<String> ARCHITECTURES = switch (System.getProperty("os.arch", "")) {
        case "amd64", "x86_64" -> List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
        case "aarch64" -> List.of("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM");
        default -> List.of();
    };

    private final List<Row> rows;
    private final Set<String> relevant;
    private final Map<Set<String>, Seccomp.Encoded> profiles = new ConcurrentHashMap<>();
    private final Seccomp.Encoded nativeOnly;

    private SeccompDefault(List<Row> rows) {
        this.rows = List.copyOf(rows);
        this.relevant = rows.stream()
                .map(Row::capability)
                .filter(capability -> !capability.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
        this.nativeOnly =
                rules(Set.of(), ARCHITECTURES.stream().limit(1).toList()).encode();
    }

    /// Reads the table that comes with this class.
    public static SeccompDefault load() {
        try (InputStream in = Objects.requireNonNull(SeccompDefault.class.getResourceAsStream(TABLE), TABLE);
                var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return new SeccompDefault(reader.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(Row::parse)
                    .toList());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + TABLE, e);
        }
    }

    /// The profile for a container whose bounding set holds these capabilities (`CAP_CHOWN` and so on).
    public Seccomp.Encoded profile(Collection<String> bounding) {
        Set<String> key = new TreeSet<>(bounding);
        key.retainAll(relevant);
        return profiles.computeIfAbsent(key, capabilities -> rules(capabilities).encode());
    }

    /// The profile of a program without capabilities that calls the kernel in the node's own way only, as the pause
    /// program does. To compile the filter for 32-bit programs as well takes runc a quarter of all its time.
    public Seccomp.Encoded nativeProfile() {
        return nativeOnly;
    }

    /// The same as rules, for those who want to look into it.
    public Seccomp.Rules rules(Collection<String> bounding) {
        return rules(bounding, ARCHITECTURES);
    }

    private Seccomp.Rules rules(Collection<String> bounding, List<String> architectures) {
        Set<Effect> effects = new LinkedHashSet<>();
        for (Row row : rows) {
            if (!row.removes() && (row.capability().isEmpty() || bounding.contains(row.capability()))) {
                effects.add(row.effect());
            }
        }
        for (Row row : rows) {
            if (row.removes() && bounding.contains(row.capability())) {
                effects.remove(row.effect());
            }
        }
        return new Seccomp.Rules("SCMP_ACT_ERRNO", null, architectures, List.of(), "", "", grouped(effects));
    }

    /// System calls that share their treatment go into one rule, which makes the profile a tenth as long.
    private static List<Seccomp.Rule> grouped(Set<Effect> effects) {
        Map<Treatment, List<String>> names = new LinkedHashMap<>();
        for (Effect effect : effects) {
            names.computeIfAbsent(effect.treatment(), _ -> new ArrayList<>()).add(effect.syscall());
        }
        List<Seccomp.Rule> rules = new ArrayList<>();
        names.forEach((treatment, calls) -> rules.add(new Seccomp.Rule(
                calls,
                treatment.action(),
                treatment.errno(),
                treatment.condition() == null ? List.of() : List.of(treatment.condition()))));
        return rules;
    }

    /// What happens to one system call.
    private record Effect(String syscall, Treatment treatment) {}

    private record Treatment(String action, @Nullable Long errno, Seccomp.@Nullable Condition condition) {}

    /// A row of the table; the capability is empty for rows that always hold.
    private record Row(String capability, boolean removes, Effect effect) {

        static Row parse(String line) {
            String[] columns = Arrays.copyOf(line.split("\t", -1), 5);
            String when = columns[0].equals("always") ? "" : columns[0];
            boolean removes = when.endsWith(" removes");
            var treatment = new Treatment(columns[2], errno(columns[4]), condition(columns[3]));
            return new Row(
                    removes ? when.substring(0, when.indexOf(' ')) : when, removes, new Effect(columns[1], treatment));
        }

        private static @Nullable Long errno(String column) {
            return column.isEmpty() ? null : Long.valueOf(column.substring("errno ".length()));
        }

        /// `arg0 SCMP_CMP_MASKED_EQ 2114060288 0`
        private static Seccomp.@Nullable Condition condition(String column) {
            if (column.isEmpty()) {
                return null;
            }
            String[] words = column.split(" ", -1);
            return new Seccomp.Condition(
                    Long.parseLong(words[0].substring("arg".length())),
                    Long.parseUnsignedLong(words[2]),
                    Long.parseUnsignedLong(words[3]),
                    words[1]);
        }
    }
}
