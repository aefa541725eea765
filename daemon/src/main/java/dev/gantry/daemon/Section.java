package dev.gantry.daemon;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// One table of the configuration while it is read: each method takes a key by its type and gives
/// the default if it is absent. A wrong value is noted as a problem and reading goes on, so that
/// `config check` shows all problems at once. [#end] notes the keys that nobody asked for.
final class Section {

    /// What one reading of a whole configuration found: the problems, and all keys that were asked for.
    record Findings(List<String> problems, SortedSet<String> keys) {
        Findings() {
            this(new ArrayList<>(), new TreeSet<>());
        }
    }

    private final String name;
    private final Setting.Table table;
    private final Findings findings;
    private final SortedSet<String> known = new TreeSet<>();

    private Section(String name, Setting.Table table, Findings findings) {
        this.name = name;
        this.table = table;
        this.findings = findings;
    }

    static Section top(Setting.Table table, Findings findings) {
        return new Section("", table, findings);
    }

    String string(String key, String fallback) {
        Setting setting = take(key);
        return setting == null ? fallback : text(key, setting, "a string").orElse(fallback);
    }

    boolean flag(String key, boolean fallback) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Scalar(Boolean value, var _) -> value;
            case Setting other -> wrong(key, other, "true or false", fallback);
        };
    }

    int integer(String key, int fallback, int least, int most) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Scalar(Long value, var _) when value >= least && value <= most -> value.intValue();
            case Setting other -> wrong(key, other, "an integer from %d to %d".formatted(least, most), fallback);
        };
    }

    /// Bytes, as an integer or as `"16MiB"`.
    int size(String key, int fallback, int least) {
        Setting setting = take(key);
        if (setting == null) {
            return fallback;
        }
        Optional<Long> size = switch (setting) {
            case Setting.Scalar(Long value, var _) -> Optional.of(value);
            case Setting.Scalar(String value, var _) -> Quantities.size(value);
            case Setting _ -> Optional.empty();
        };
        return size.filter(value -> value >= least && value <= Integer.MAX_VALUE)
                .map(Long::intValue)
                .orElseGet(() -> wrong(
                        key, setting, "a number of bytes from " + least + " to 2147483647, or \"16MiB\"", fallback));
    }

    Duration duration(String key, Duration fallback) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Scalar(String value, var _)
            when Quantities.duration(value).isPresent() ->
                Quantities.duration(value).get();
            case Setting other -> wrong(key, other, "a duration such as \"30s\", \"500ms\" or \"1m30s\"", fallback);
        };
    }

    /// The permission bits of a file, as `"0660"` or TOML's `0o660`.
    int mode(String key, int fallback) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Scalar(String value, var _) when value.matches("0?[0-7]{3}") -> Integer.parseInt(value, 8);
            case Setting.Scalar(Long value, var _) when value >= 0 && value <= 0777 -> value.intValue();
            case Setting other -> wrong(key, other, "a file mode such as \"0660\"", fallback);
        };
    }

    String choice(String key, String fallback, List<String> allowed) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Scalar(String value, var _) when allowed.contains(value) -> value;
            case Setting other -> wrong(key, other, "one of \"" + String.join("\", \"", allowed) + '"', fallback);
        };
    }

    Path path(String key, Path fallback) {
        return optionalPath(key).orElse(fallback);
    }

    Optional<Path> optionalPath(String key) {
        Setting setting = take(key);
        return setting == null ? Optional.empty() : path(key, setting);
    }

    /// An absolute path, or the empty string for none, which is the default.
    Optional<Path> pathOrNone(String key) {
        return switch (take(key)) {
            case null -> Optional.empty();
            case Setting.Scalar(String value, var _) when value.isEmpty() -> Optional.empty();
            case Setting other -> path(key, other);
        };
    }

    List<Path> paths(String key, List<Path> fallback) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Items(List<Setting> items, var _) ->
                items.stream().flatMap(item -> path(key, item).stream()).toList();
            case Setting other -> wrong(key, other, "an array of absolute paths", fallback);
        };
    }

    List<String> strings(String key, List<String> fallback) {
        return switch (take(key)) {
            case null -> fallback;
            case Setting.Items(List<Setting> items, var _) ->
                items.stream()
                        .flatMap(item -> text(key, item, "an array of strings").stream())
                        .toList();
            case Setting other -> wrong(key, other, "an array of strings", fallback);
        };
    }

    Section section(String key) {
        return switch (take(key)) {
            case null -> new Section(name(key), Setting.Table.EMPTY, findings);
            case Setting.Table inner -> new Section(name(key), inner, findings);
            case Setting other -> new Section(name(key), wrong(key, other, "a table", Setting.Table.EMPTY), findings);
        };
    }

    /// Every entry of this table as a table of its own, for tables whose keys are names that the user
    /// chooses. A name that is always there is given as `builtIn`.
    Map<String, Section> sections(String builtIn) {
        Map<String, Section> sections = new LinkedHashMap<>();
        sections.put(builtIn, section(builtIn));
        for (String key : table.entries().keySet()) {
            sections.computeIfAbsent(key, this::section);
        }
        return sections;
    }

    /// Notes a value that is wrong only in the light of others.
    void problem(String key, String text) {
        Setting setting = table.entries().get(key);
        findings.problems.add((setting == null ? "" : setting.origin() + ": ") + name(key) + ' ' + text);
    }

    /// Notes every key of the table that no method was asked for.
    void end() {
        table.entries().forEach((key, setting) -> {
            if (!known.contains(key)) {
                findings.problems.add("%s: unknown key %s; allowed here: %s"
                        .formatted(setting.origin(), name(key), String.join(", ", known)));
            }
        });
    }

    private @Nullable Setting take(String key) {
        known.add(key);
        findings.keys.add(name(key));
        return table.entries().get(key);
    }

    private Optional<String> text(String key, Setting setting, String wanted) {
        return setting instanceof Setting.Scalar(String value, var _)
                ? Optional.of(value)
                : wrong(key, setting, wanted, Optional.empty());
    }

    private Optional<Path> path(String key, Setting setting) {
        String wanted = "an absolute path";
        return text(key, setting, wanted).flatMap(text -> {
            try {
                Path path = Path.of(text);
                if (path.isAbsolute()) {
                    return Optional.of(path.normalize());
                }
            } catch (InvalidPathException _) {
                // a NUL byte: told below with the rest
            }
            return wrong(key, setting, wanted, Optional.<Path>empty());
        });
    }

    private <T> T wrong(String key, Setting setting, String wanted, T fallback) {
        findings.problems.add(
                "%s: %s must be %s, not %s".formatted(setting.origin(), name(key), wanted, setting.type()));
        return fallback;
    }

    private String name(String key) {
        return name.isEmpty() ? key : name + '.' + key;
    }
}
